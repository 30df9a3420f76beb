//! Python's imaplib, poplib and smtplib, with their own checks.

use crate::{PASSWORD, Site, client, run};

#[test]
fn the_three_libraries_do_a_day_of_mail() {
    let site = Site::new();
    let Some(mut python) = client("python3") else { return };
    let script = site.scratch.file("day.py", include_str!("day.py"));
    python.arg(script).arg(site.authority()).arg(PASSWORD);
    for port in ["submission", "submissions", "pop3", "pop3s", "imap", "imaps"] {
        python.arg(site.port(port).to_string());
    }
    let said = run(&mut python);
    assert!(said.ends_with("all is well\n"), "{said}");
}
