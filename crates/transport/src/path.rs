//! Paths as an administrator types them: with or without their angle brackets.

use proto::smtp::{Command, ForwardPath, ReversePath};

/// `ann@example.test` or `<ann@example.test>`; `<>` is the empty path.
pub fn reverse_path(text: &str) -> Option<ReversePath> {
    match Command::parse(format!("MAIL FROM:{}", bracketed(text)).as_bytes()) {
        Ok(Command::Mail(mail)) => Some(mail.from),
        _ => None,
    }
}

/// `ann@example.test`, `<ann@example.test>` or `postmaster`.
pub fn forward_path(text: &str) -> Option<ForwardPath> {
    match Command::parse(format!("RCPT TO:{}", bracketed(text)).as_bytes()) {
        Ok(Command::Rcpt(to)) => Some(to),
        _ => None,
    }
}

fn bracketed(text: &str) -> String {
    // What stands behind the path would be parameters of the command.
    let text = text.trim();
    if text.starts_with('<') && text.ends_with('>') { text.to_owned() } else { format!("<{text}>") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_with_and_without_brackets_and_nothing_behind_them() {
        for text in ["ann@example.test", "<ann@example.test>", "\"a b\"@example.test"] {
            assert!(reverse_path(text).is_some() && forward_path(text).is_some(), "{text}");
        }
        assert!(reverse_path("<>").is_some() && forward_path("<>").is_none() && forward_path("postmaster").is_some());
        for text in ["ann", "ann@example.test> SIZE=1 <", "a@b@c", "ann@example.test\r\nRSET"] {
            assert!(reverse_path(text).is_none(), "{text}");
        }
    }
}
