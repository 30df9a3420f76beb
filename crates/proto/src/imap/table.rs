//! One row for each command: its name, when it is legal, what it implies. The capability list and the
//! dispatch derive from it.

use super::command::Body;
use super::parse::{self, Cursor, Limits, ParseError};

/// One command.
pub struct Row {
    /// In capitals; with `UID ` before it for the commands that take UIDs.
    pub name: &'static str,
    pub legal: Legal,
    /// Whether its answer may hold untagged EXPUNGE (RFC 3501 §7.4.1: not FETCH, STORE and SEARCH, whose
    /// sequence numbers would shift under the client's feet).
    pub may_expunge: bool,
    /// What is advertised because the command is there.
    pub capability: Option<&'static str>,
    arguments: Arguments,
}

/// In which states a command may be given (RFC 3501 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Legal {
    Always,
    NotAuthenticated,
    /// With a mailbox selected, or none.
    Authenticated,
    Selected,
}

type Parse = fn(&mut Cursor<'_>, &Limits) -> Result<Body, ParseError>;

enum Arguments {
    None(fn() -> Body),
    Some(Parse),
}

impl Row {
    /// Parses what follows the name, to the end of the command.
    pub fn parse(&self, mut cursor: Cursor<'_>, limits: &Limits) -> Result<Body, ParseError> {
        let body = match self.arguments {
            Arguments::None(body) => body(),
            Arguments::Some(parse) => {
                cursor.space()?;
                parse(&mut cursor, limits)?
            }
        };
        cursor.end()?;
        Ok(body)
    }

    const fn expunges(self) -> Self {
        Self { may_expunge: true, ..self }
    }

    const fn implies(self, capability: &'static str) -> Self {
        Self { capability: Some(capability), ..self }
    }
}

const fn bare(name: &'static str, legal: Legal, body: fn() -> Body) -> Row {
    Row { name, legal, may_expunge: false, capability: None, arguments: Arguments::None(body) }
}

const fn row(name: &'static str, legal: Legal, parse: Parse) -> Row {
    Row { name, legal, may_expunge: false, capability: None, arguments: Arguments::Some(parse) }
}

use Legal::{Always, Authenticated, NotAuthenticated, Selected};

/// Every command there is.
pub static ROWS: [Row; 36] = [
    // RFC 3501 §6.1
    bare("CAPABILITY", Always, || Body::Capability),
    bare("NOOP", Always, || Body::Noop).expunges(),
    bare("LOGOUT", Always, || Body::Logout),
    row("ID", Always, |cursor, _| parse::id(cursor)).implies("ID"),
    // RFC 3501 §6.2
    bare("STARTTLS", NotAuthenticated, || Body::StartTls),
    row("AUTHENTICATE", NotAuthenticated, |cursor, _| parse::authenticate(cursor)),
    row("LOGIN", NotAuthenticated, |cursor, _| parse::login(cursor)),
    // RFC 3501 §6.3
    row("ENABLE", Authenticated, |cursor, _| parse::enable(cursor)).implies("ENABLE"),
    row("SELECT", Authenticated, |cursor, _| parse::select(cursor).map(Body::Select)),
    row("EXAMINE", Authenticated, |cursor, _| parse::select(cursor).map(Body::Examine)),
    row("CREATE", Authenticated, |cursor, _| parse::mailbox(cursor).map(Body::Create)).expunges(),
    row("DELETE", Authenticated, |cursor, _| parse::mailbox(cursor).map(Body::Delete)).expunges(),
    row("RENAME", Authenticated, |cursor, _| parse::rename(cursor)).expunges(),
    row("SUBSCRIBE", Authenticated, |cursor, _| parse::mailbox(cursor).map(Body::Subscribe)).expunges(),
    row("UNSUBSCRIBE", Authenticated, |cursor, _| parse::mailbox(cursor).map(Body::Unsubscribe)).expunges(),
    row("LIST", Authenticated, |cursor, _| parse::list(cursor)).expunges(),
    row("LSUB", Authenticated, |cursor, _| parse::lsub(cursor)).expunges(),
    row("STATUS", Authenticated, |cursor, _| parse::status(cursor)).expunges(),
    row("APPEND", Authenticated, |cursor, _| parse::append(cursor)).expunges(),
    bare("NAMESPACE", Authenticated, || Body::Namespace).expunges().implies("NAMESPACE"),
    bare("IDLE", Authenticated, || Body::Idle).expunges().implies("IDLE"),
    // RFC 3501 §6.4
    bare("CHECK", Selected, || Body::Check).expunges(),
    // RFC 3501 §6.4.2: no untagged EXPUNGE responses are sent.
    bare("CLOSE", Selected, || Body::Close),
    bare("UNSELECT", Selected, || Body::Unselect).implies("UNSELECT"),
    bare("EXPUNGE", Selected, || Body::Expunge).expunges(),
    row("SEARCH", Selected, |cursor, limits| parse::search(cursor, limits, false)),
    row("FETCH", Selected, |cursor, limits| parse::fetch(cursor, limits, false)),
    row("STORE", Selected, |cursor, _| parse::store(cursor, false)),
    row("COPY", Selected, |cursor, _| parse::copy(cursor, false).map(Body::Copy)).expunges(),
    row("MOVE", Selected, |cursor, _| parse::copy(cursor, false).map(Body::Move)).expunges().implies("MOVE"),
    row("UID EXPUNGE", Selected, |cursor, _| parse::sequence_set(cursor).map(Body::UidExpunge))
        .expunges()
        .implies("UIDPLUS"),
    row("UID SEARCH", Selected, |cursor, limits| parse::search(cursor, limits, true)).expunges(),
    row("UID FETCH", Selected, |cursor, limits| parse::fetch(cursor, limits, true)).expunges(),
    row("UID STORE", Selected, |cursor, _| parse::store(cursor, true)).expunges(),
    row("UID COPY", Selected, |cursor, _| parse::copy(cursor, true).map(Body::Copy)).expunges(),
    row("UID MOVE", Selected, |cursor, _| parse::copy(cursor, true).map(Body::Move)).expunges(),
];

/// Capabilities that are properties of the codec or of several commands rather than commands.
pub const FEATURES: [&str; 5] = ["CHILDREN", "CONDSTORE", "LITERAL+", "SASL-IR", "SPECIAL-USE"];

/// The row of a name in capitals, without `UID ` in front of it.
pub fn find(name: &[u8], uid: bool) -> Option<&'static Row> {
    ROWS.iter().find(|row| match row.name.strip_prefix("UID ") {
        Some(rest) => uid && rest.as_bytes() == name,
        None => !uid && row.name.as_bytes() == name,
    })
}

impl Body {
    /// As in the table, for the log and for `OK FETCH completed.`
    pub fn name(&self) -> &'static str {
        let either = |uid: bool, with: &'static str, without: &'static str| if uid { with } else { without };
        match self {
            Self::Capability => "CAPABILITY",
            Self::Logout => "LOGOUT",
            Self::Id => "ID",
            Self::StartTls => "STARTTLS",
            Self::Authenticate { .. } => "AUTHENTICATE",
            Self::Login { .. } => "LOGIN",
            Self::Idle => "IDLE",
            Self::Noop => "NOOP",
            Self::Enable { .. } => "ENABLE",
            Self::Namespace => "NAMESPACE",
            Self::Select(_) => "SELECT",
            Self::Examine(_) => "EXAMINE",
            Self::Create(_) => "CREATE",
            Self::Delete(_) => "DELETE",
            Self::Rename { .. } => "RENAME",
            Self::Subscribe(_) => "SUBSCRIBE",
            Self::Unsubscribe(_) => "UNSUBSCRIBE",
            Self::List(_) => "LIST",
            Self::Lsub { .. } => "LSUB",
            Self::Status(_) => "STATUS",
            Self::Append(_) => "APPEND",
            Self::Check => "CHECK",
            Self::Close => "CLOSE",
            Self::Unselect => "UNSELECT",
            Self::Expunge => "EXPUNGE",
            Self::UidExpunge(_) => "UID EXPUNGE",
            Self::Search(search) => either(search.uid, "UID SEARCH", "SEARCH"),
            Self::Fetch(fetch) => either(fetch.uid, "UID FETCH", "FETCH"),
            Self::Store(store) => either(store.uid, "UID STORE", "STORE"),
            Self::Copy(copy) => either(copy.uid, "UID COPY", "COPY"),
            Self::Move(copy) => either(copy.uid, "UID MOVE", "MOVE"),
        }
    }

    /// Whether the answer may hold untagged EXPUNGE.
    pub fn may_expunge(&self) -> bool {
        let name = self.name();
        ROWS.iter().any(|row| row.name == name && row.may_expunge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_fetch_store_and_search_by_number_keep_expunges_back_among_the_selected() {
        let kept_back: Vec<_> = ROWS.iter().filter(|row| row.legal == Selected && !row.may_expunge).collect();
        let names: Vec<_> = kept_back.iter().map(|row| row.name).collect();
        assert_eq!(names, ["CLOSE", "UNSELECT", "SEARCH", "FETCH", "STORE"]);
    }
}
