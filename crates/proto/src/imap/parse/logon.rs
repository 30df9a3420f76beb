use super::ParseError::{Expected, Invalid, Limit};
use super::{Cursor, Result};
use crate::imap::command::Body;
use crate::logon::Secret;

/// `LOGIN user password` (RFC 3501 §6.2.3).
pub fn login(cursor: &mut Cursor<'_>) -> Result<Body> {
    let user = cursor.user_name("a user name")?;
    cursor.space()?;
    let password = cursor.astring("a password")?;
    let text = |octets: &[u8]| std::str::from_utf8(octets).ok().map(str::to_owned);
    match (text(&user), text(&password)) {
        (Some(user), Some(password)) => Ok(Body::Login { user, password: Secret::new(password) }),
        _ => Err(Invalid("User name and password must be in UTF-8.")),
    }
}

/// `AUTHENTICATE mechanism [initial response]` (RFC 3501 §6.2.2, RFC 4959 §3).
pub fn authenticate(cursor: &mut Cursor<'_>) -> Result<Body> {
    let mechanism = cursor.atom("a mechanism")?.to_owned();
    let mut initial = None;
    cursor.skip_spaces();
    if !cursor.is_empty() {
        let text = cursor.take_while(|b| (0x21..0x7f).contains(&b));
        // What it holds is judged with the exchange's other lines.
        initial = Some(Secret::new(String::from_utf8_lossy(text).into_owned()));
    }
    Ok(Body::Authenticate { mechanism, initial })
}

/// `ENABLE name...` (RFC 5161 §3.1): names that are not known are passed over.
pub fn enable(cursor: &mut Cursor<'_>) -> Result<Body> {
    let mut condstore = false;
    loop {
        let name = cursor.atom("the name of a capability")?;
        condstore |= name.eq_ignore_ascii_case("CONDSTORE");
        cursor.skip_spaces();
        if cursor.is_empty() {
            return Ok(Body::Enable { condstore });
        }
    }
}

/// `ID NIL` or `ID (name value ...)` (RFC 2971 §3.1).
pub fn id(cursor: &mut Cursor<'_>) -> Result<Body> {
    /// RFC 2971 §3.3.
    const MAX_PAIRS: usize = 30;
    if !cursor.eat(b'(') {
        return nil(cursor).map(|()| Body::Id);
    }
    cursor.skip_spaces();
    let mut pairs = 0;
    while !cursor.eat(b')') {
        pairs += 1;
        if pairs > MAX_PAIRS {
            return Err(Limit { what: "ID fields", limit: MAX_PAIRS });
        }
        cursor.string("a string")?;
        cursor.space()?;
        if matches!(cursor.peek(), Some(b'"' | b'{')) {
            cursor.string("a string")?;
        } else {
            nil(cursor)?;
        }
        cursor.skip_spaces();
    }
    Ok(Body::Id)
}

fn nil(cursor: &mut Cursor<'_>) -> Result<()> {
    if cursor.word().as_bytes() == b"NIL" { Ok(()) } else { Err(Expected("NIL or a list")) }
}
