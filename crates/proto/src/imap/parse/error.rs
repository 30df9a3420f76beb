use std::fmt;

/// What was wrong with a command, without any of its octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// Something else stood where this was to stand.
    Expected(&'static str),
    /// A whole sentence.
    Invalid(&'static str),
    /// More of something than is taken.
    Limit { what: &'static str, limit: usize },
    /// A charset that SEARCH does not know (RFC 3501 §6.4.4).
    BadCharset,
    /// The command ends within a literal whose octets are not there yet.
    Incomplete,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expected(what) => write!(f, "Expected {what}."),
            Self::Invalid(text) => f.write_str(text),
            Self::Limit { what, limit } => write!(f, "There may be at most {limit} {what}."),
            Self::BadCharset => f.write_str("The charset is not known; use UTF-8."),
            Self::Incomplete => f.write_str("The command ends within a literal."),
        }
    }
}
