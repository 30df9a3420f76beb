//! The one place where trouble with the store becomes an SMTP reply.

use proto::smtp::Reply;
use store::Error;

/// Never permanent when a later try may succeed; the store's own words are for the log.
pub fn store_trouble(error: &Error) -> Reply {
    match error {
        // RFC 3463 §3.3: X.2.2. Temporary, for a mailbox that is emptied takes mail again.
        Error::OverQuota => Reply::new(452, 2, 2, "Mailbox full"),
        Error::Limit(_) => Reply::new(452, 2, 2, "Mailbox full: it holds as many messages as it may"),
        Error::DiskFull => Reply::new(452, 3, 1, "Insufficient system resources"),
        Error::NotFound(_) => Reply::new(550, 1, 1, "User unknown"),
        Error::Busy
        | Error::Conflict
        | Error::Unavailable(_)
        | Error::Unknown(_)
        | Error::Exists(_)
        | Error::Invalid(_)
        | Error::Gone
        | Error::Corrupt(_) => Reply::new(451, 3, 0, "Mail server temporarily unavailable, try again later"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_trouble_is_never_answered_as_permanent() {
        let errors = [
            (Error::OverQuota, "452 4.2.2 Mailbox full"),
            (Error::Limit("x".into()), "452 4.2.2 Mailbox full: it holds as many messages as it may"),
            (Error::DiskFull, "452 4.3.1 Insufficient system resources"),
            (Error::Unavailable("x".into()), "451 4.3.0 Mail server temporarily unavailable, try again later"),
            (Error::Unknown("x".into()), "451 4.3.0 Mail server temporarily unavailable, try again later"),
            (Error::Busy, "451 4.3.0 Mail server temporarily unavailable, try again later"),
            (Error::Conflict, "451 4.3.0 Mail server temporarily unavailable, try again later"),
            (Error::NotFound("account"), "550 5.1.1 User unknown"),
        ];
        for (error, reply) in errors {
            assert_eq!(store_trouble(&error).to_string(), reply);
            assert!(!error.is_temporary() || store_trouble(&error).is_temporary(), "{error}");
        }
    }
}
