//! Security contexts by the system's library of the GSS-API.

use std::sync::{Arc, Mutex};

use libgssapi::context::{CtxFlags, SecurityContext as _, ServerCtx};
use libgssapi::credential::{Cred, CredUsage};
use libgssapi::error::Error;
use libgssapi::oid::{GSS_MECH_KRB5, GSS_MECH_SPNEGO, Oid, OidSet};
use proto::logon::{Accepted, Context, Mechanism, SecurityContext};

use super::super::lock;

/// GSS_C_CHANNEL_BOUND_FLAG of MIT krb5 1.19 and later: the client has bound its ticket to what it was held against.
const BOUND: CtxFlags = CtxFlags::from_bits_retain(0x800);

/// All keys of the keytab, whatever service they are for.
pub struct Acceptor {
    kerberos: Cred,
    /// Of the negotiation, which takes Kerberos and, if the system has more, refuses the rest in the end.
    negotiation: Cred,
}

impl Acceptor {
    /// `Err` if the keytab has no key, or cannot be read.
    pub fn new() -> Result<Self, String> {
        let of =
            |mechanism: Oid<'_>| Cred::acquire(None, None, CredUsage::Accept, Some(&OidSet::singleton(mechanism)?));
        let by = |mechanism| of(mechanism).map_err(|error: Error| error.to_string());
        Ok(Self { kerberos: by(GSS_MECH_KRB5)?, negotiation: by(GSS_MECH_SPNEGO)? })
    }

    /// A context for one exchange. `binding`: what a client may bind to, and then has to be right.
    pub fn begin(&self, mechanism: Mechanism, binding: Option<Vec<u8>>, must_be_bound: bool) -> Context {
        let credential = if mechanism == Mechanism::GssSpnego { &self.negotiation } else { &self.kerberos };
        let context = Mutex::new(ServerCtx::new(Some(credential.clone())));
        Context(Arc::new(Accepting { context, binding, must_be_bound }))
    }
}

struct Accepting {
    context: Mutex<ServerCtx>,
    binding: Option<Vec<u8>>,
    must_be_bound: bool,
}

impl SecurityContext for Accepting {
    fn accept(&self, token: &[u8]) -> Result<Accepted, String> {
        let mut context = lock(&self.context);
        let text = |error: Error| error.to_string();
        let token = context.step(token, self.binding.as_deref()).map_err(text)?;
        let token = token.map(|token| token.to_vec()).unwrap_or_default();
        if !context.is_complete() {
            return Ok(Accepted { token, principal: None });
        }
        if context.mechanism().map_err(text)? != GSS_MECH_KRB5 {
            return Err("what was negotiated is not Kerberos".to_owned());
        }
        if self.must_be_bound && !context.flags().map_err(text)?.contains(BOUND) {
            return Err("the ticket is not bound to TLS, which ExtendedProtectionPolicy requires".to_owned());
        }
        let name = context.source_name().and_then(|name| name.display_name()).map_err(text)?;
        let principal = String::from_utf8(name.to_vec()).map_err(|_| "the principal's name is no text".to_owned())?;
        Ok(Accepted { token, principal: Some(principal) })
    }

    fn wrap(&self, message: &[u8]) -> Option<Vec<u8>> {
        Some(lock(&self.context).wrap(false, message).ok()?.to_vec())
    }

    fn unwrap(&self, token: &[u8]) -> Option<Vec<u8>> {
        Some(lock(&self.context).unwrap(token).ok()?.to_vec())
    }
}
