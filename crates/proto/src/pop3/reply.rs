//! Status lines.

/// Octets of a status line with its end (RFC 1939 §3).
pub const MAX_REPLY: usize = 512;

/// A response code: what a mail program may act on without reading the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// RFC 3206 §4: the credentials are the problem.
    Auth,
    /// RFC 2449 §8.1.2: another session has the maildrop.
    InUse,
    /// RFC 3206 §4: something that is likely to pass.
    SysTemp,
    /// RFC 3206 §4: something that an administrator has to mend.
    SysPerm,
}

impl Code {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auth => "AUTH",
            Self::InUse => "IN-USE",
            Self::SysTemp => "SYS/TEMP",
            Self::SysPerm => "SYS/PERM",
        }
    }
}

/// Appends `+OK text`.
pub fn ok(out: &mut Vec<u8>, text: &str) {
    line(out, "+OK", None, text);
}

/// Appends `-ERR [code] text`.
pub fn err(out: &mut Vec<u8>, code: Option<Code>, text: &str) {
    line(out, "-ERR", code, text);
}

fn line(out: &mut Vec<u8>, status: &str, code: Option<Code>, text: &str) {
    let start = out.len();
    out.extend_from_slice(status.as_bytes());
    if let Some(code) = code {
        out.extend_from_slice(b" [");
        out.extend_from_slice(code.name().as_bytes());
        out.push(b']');
    }
    if !text.is_empty() {
        let room = MAX_REPLY - 2 - 1 - (out.len() - start);
        let text = text.get(..text.floor_char_boundary(room)).unwrap_or_default();
        out.push(b' ');
        // A banner comes from a setting; whatever it holds, it stays one line.
        out.extend(text.bytes().map(|octet| if octet.is_ascii_control() { b' ' } else { octet }));
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(code: Option<Code>, text: &str) -> String {
        let mut out = Vec::new();
        err(&mut out, code, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_carries_its_code_and_text() {
        assert_eq!(written(Some(Code::InUse), "Locked."), "-ERR [IN-USE] Locked.\r\n");
        assert_eq!(written(None, ""), "-ERR\r\n");
    }

    #[test]
    fn the_longest_line_has_512_octets_and_stays_utf_8() {
        let text = "x".repeat(512 - "-ERR \r\n".len());
        assert_eq!(written(None, &text).len(), 512);
        assert_eq!(written(None, &format!("{text}x")), written(None, &text));
        assert!(written(Some(Code::SysPerm), &"é".repeat(600)).len() <= 512);
    }

    #[test]
    fn no_text_makes_a_second_line() {
        assert_eq!(written(None, "a\r\n+OK b\0"), "-ERR a  +OK b \r\n");
    }
}
