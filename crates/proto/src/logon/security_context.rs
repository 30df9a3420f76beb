//! Security contexts of the GSS-API (RFC 2743), as an exchange knows them.

use std::fmt;
use std::sync::Arc;

use super::Mechanism;

/// One context of an acceptor. Its driver makes it; it ends when nobody holds it any more.
pub trait SecurityContext: Send + Sync {
    /// GSS_Accept_sec_context, which reads files: for the driver, where waiting is no harm. An error is for the log.
    fn accept(&self, token: &[u8]) -> Result<Accepted, String>;

    /// GSS_Wrap without confidentiality.
    fn wrap(&self, message: &[u8]) -> Option<Vec<u8>>;

    /// GSS_Unwrap.
    fn unwrap(&self, token: &[u8]) -> Option<Vec<u8>>;
}

/// What became of a client's token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The client's to have, unless it is empty.
    pub token: Vec<u8>,
    /// Who the client is, once the context is established; until then it owes an answer to the token.
    pub principal: Option<String>,
}

/// A context that is shared; equal to itself alone.
#[derive(Clone)]
pub struct Context(pub Arc<dyn SecurityContext>);

impl PartialEq for Context {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Context {}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Context(..)")
    }
}

/// A token that a client sent. It does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientToken {
    pub mechanism: Mechanism,
    /// `None` for the first token.
    pub context: Option<Context>,
    pub octets: Vec<u8>,
}

impl fmt::Debug for ClientToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientToken").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}
