//! Patterns, and names for what they fit.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What was given a name.
pub type Names = BTreeMap<String, String>;

/// Whether the pattern fits the whole line; the names it gives are kept only then.
pub fn fits(pattern: &str, line: &str, names: &mut Names) -> bool {
    let mut given = names.clone();
    let fits = fits_from(pattern, line, &mut given);
    if fits {
        *names = given;
    }
    fits
}

/// Recurses per hole, which the writer of a transcript bounds.
fn fits_from(pattern: &str, line: &str, names: &mut Names) -> bool {
    let Some((before, hole, after)) = first_hole(pattern, names) else { return pattern == line };
    let Some(rest) = line.strip_prefix(before) else { return false };
    let (name, kind) = match hole.split_once('=') {
        Some((name, kind)) => (Some(name), kind),
        None => (None, hole),
    };
    if let Some(known) = names.get(kind).filter(|_| name.is_none()).cloned() {
        return rest.strip_prefix(known.as_str()).is_some_and(|rest| fits_from(after, rest, names));
    }
    let most = match kind {
        "number" => rest.bytes().take_while(u8::is_ascii_digit).count(),
        _ => rest.len(),
    };
    let least = usize::from(kind == "number");
    (least..=most).rev().filter(|&end| rest.is_char_boundary(end)).any(|end| {
        let mut given = names.clone();
        if let Some(name) = name {
            given.insert(name.to_owned(), rest[..end].to_owned());
        }
        let fits = fits_from(after, &rest[end..], &mut given);
        if fits {
            *names = given;
        }
        fits
    })
}

/// What stands before a hole, in it, and after it. `<` of other text, as in `BODY[]<0>`, is no hole.
fn first_hole<'a>(pattern: &'a str, names: &Names) -> Option<(&'a str, &'a str, &'a str)> {
    pattern.match_indices('<').find_map(|(at, _)| {
        let (hole, after) = pattern[at + 1..].split_once('>')?;
        let kind = hole.split_once('=').map_or(hole, |(_, kind)| kind);
        let is_hole = matches!(kind, "any" | "number") || names.contains_key(hole);
        is_hole.then(|| (&pattern[..at], hole, after))
    })
}

/// What the client sends: names, `<base64:...>` and `<octets:...>` replaced.
pub fn octets(text: &str, names: &Names) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((before, hole)) = rest.split_once('<') {
        out.extend_from_slice(before.as_bytes());
        let replaced = hole.split_once('>').and_then(|(hole, after)| Some((replacement(hole, names)?, after)));
        match replaced {
            Some((octets, after)) => {
                out.extend(octets);
                rest = after;
            }
            None => {
                out.push(b'<');
                rest = hole;
            }
        }
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

fn replacement(hole: &str, names: &Names) -> Option<Vec<u8>> {
    if let Some(text) = hole.strip_prefix("base64:") {
        return Some(STANDARD.encode(text.replace("\\0", "\0")).into_bytes());
    }
    if let Some(digits) = hole.strip_prefix("octets:") {
        return (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()).collect();
    }
    names.get(hole).map(|text| text.clone().into_bytes())
}

#[test]
fn patterns_fit_whole_lines_and_give_names() {
    let mut names = Names::new();
    assert!(fits("* <any> EXISTS <n=number>", "* a b EXISTS 42", &mut names));
    assert_eq!(names["n"], "42");
    assert!(fits("<n>:<any>", "42:", &mut names));
    assert!(!fits("<n>", "43", &mut names));
    assert!(!fits("<number>", "", &mut names));
    assert!(!fits("<number>", "1x", &mut names));
    assert!(!fits("+OK", "+OK ", &mut names));
    assert!(fits("BODY[]<0> <any>", "BODY[]<0> {3}", &mut names));
    assert_eq!(octets("A <base64:\\0a\\0b> <octets:0d0a> <n> <x>", &names), b"A AGEAYg== \r\n 42 <x>");
}
