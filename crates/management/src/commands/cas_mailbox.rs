//! `Get-CASMailbox`, `Set-CASMailbox`: by what a mailbox may be used.

use serde_json::Value;
use store::{Account, AccountChange, ClientAccess, Error, Protocols};

use super::mailbox::{IDENTITY, find};
use crate::{Command, Failure, Given, Kind, Object, Outcome, Parameter, World};

const POP: Parameter = Parameter::new("PopEnabled", Kind::Text, "whether its owner may log on by POP3: true or false");
const IMAP: Parameter =
    Parameter::new("ImapEnabled", Kind::Text, "whether its owner may log on by IMAP4: true or false");
const SMTP: Parameter = Parameter::new(
    "SmtpClientAuthenticationDisabled",
    Kind::Text,
    "whether its owner may not log on by SMTP to send: true or false",
);
const NTLM: Parameter = Parameter::new(
    "NtlmEnabled",
    Kind::Text,
    "whether its owner may log on by NTLM (Secure Password Authentication), once the password is set again: true or false",
);

/// Kept beside the settings: some mailbox has been opted in, so NTLM is offered.
pub const NTLM_IN_USE: &str = "Logon.NtlmInUse";

pub const COMMANDS: &[Command] = &[
    Command {
        verb: "Get",
        noun: "CASMailbox",
        synopsis: "Shows by what a mailbox may be used",
        parameters: &[IDENTITY],
        destroys: None,
        run: |world, given| Box::pin(get(world, given)),
    },
    Command {
        verb: "Set",
        noun: "CASMailbox",
        synopsis: "Changes by what a mailbox may be used",
        parameters: &[IDENTITY, POP, IMAP, SMTP, NTLM],
        destroys: None,
        run: |world, given| Box::pin(set(world, given)),
    },
];

fn describe(account: &Account) -> Object {
    let ClientAccess { protocols: Protocols { pop3, imap4, smtp }, ntlm } = account.access;
    Object::from_iter([
        ("Identity".into(), Value::from(account.address.as_str())),
        (POP.name.into(), pop3.into()),
        (IMAP.name.into(), imap4.into()),
        (SMTP.name.into(), (!smtp).into()),
        (NTLM.name.into(), ntlm.into()),
    ])
}

async fn get(world: &dyn World, given: Given<'_>) -> Result<Outcome, Failure> {
    Ok(Outcome::of(vec![describe(&*find(world, given).await?)]))
}

async fn set(world: &dyn World, given: Given<'_>) -> Result<Outcome, Failure> {
    let account = find(world, given).await?;
    let was = account.access;
    let protocols = Protocols {
        pop3: given.read(POP.name)?.unwrap_or(was.protocols.pop3),
        imap4: given.read(IMAP.name)?.unwrap_or(was.protocols.imap4),
        smtp: given.read(SMTP.name)?.map_or(was.protocols.smtp, |disabled: bool| !disabled),
    };
    let access = ClientAccess { protocols, ntlm: given.read(NTLM.name)?.unwrap_or(was.ntlm) };
    if [POP, IMAP, SMTP, NTLM].iter().all(|parameter| given.value(parameter.name).is_none()) {
        return Err(Failure(
            "name what to change: -PopEnabled, -ImapEnabled, -SmtpClientAuthenticationDisabled or -NtlmEnabled".into(),
        ));
    }
    if access.ntlm && account.source.entry().is_some() {
        return Err(Failure(
            "the mailbox's password is the directory's, and nothing can be kept of it that is good for NTLM".into(),
        ));
    }
    let mut change = AccountChange { access: Some(access), provided_access: Some(was), ..AccountChange::default() };
    if was.ntlm && !access.ntlm {
        // Whoever opts out keeps nothing behind that is as good as the password.
        let without = account.password.as_ref().map(|kept| world.passwords().without_ntlm(kept));
        change.password = without.transpose().map_err(Failure)?.map(Some);
        change.provided = account.password.as_ref().map(|kept| kept.hash.clone());
    }
    if access.ntlm && !was.ntlm {
        // Before the mailbox: a server that is started again has to know it.
        world.settings().change(vec![(NTLM_IN_USE.to_owned(), Some(true.into()))]).await?;
        world.passwords().has_ntlm();
    }
    match world.directory().change(account.id, change).await {
        Ok(()) => {}
        Err(Error::Conflict) => {
            return Err(Failure("the mailbox was changed meanwhile, and so nothing was now. Try again.".into()));
        }
        Err(error) => return Err(error.into()),
    }
    let mut outcome = get(world, given).await?;
    if access.ntlm && !was.ntlm {
        outcome.warnings.push(
            "NTLM works once the password is set again with Set-Mailbox -Password. What is kept for it then, enciphered, \
             is as good as the password itself."
                .into(),
        );
    }
    let switched_off = (was.protocols.pop3 && !protocols.pop3)
        || (was.protocols.imap4 && !protocols.imap4)
        || (was.protocols.smtp && !protocols.smtp)
        || (was.ntlm && !access.ntlm);
    if switched_off {
        world.passwords().revoke(account.id);
    }
    Ok(outcome)
}
