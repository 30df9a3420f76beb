//! What contributors and CI run: `cargo xtask ci`, or one step of it by name.

mod graph;
mod steps;
mod tools;

use std::process::ExitCode;

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let steps = steps::all();
    let chosen: Vec<_> = match wanted.as_str() {
        "ci" => steps.iter().collect(),
        name => steps.iter().filter(|step| step.name == name).collect(),
    };
    if chosen.is_empty() {
        let names = steps.iter().map(|step| format!("  {:8} {}\n", step.name, step.meaning)).collect::<String>();
        eprintln!("cargo xtask STEP, where STEP is\n  {:8} every step below, in this order\n{names}", "ci");
        return ExitCode::from(2);
    }
    for step in chosen {
        eprintln!("== {}: {}", step.name, step.meaning);
        if let Err(why) = (step.run)() {
            eprintln!("{}: {why}", step.name);
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
