//! `New-AppPassword`, `Get-AppPassword`, `Remove-AppPassword`: passwords for one device or program each.

use serde_json::Value;
use store::{Account, AccountChange, AppPassword, AppPasswordChange, Error, Protocols, Timestamp};
use time::Date;
use time::macros::format_description;

use super::mailbox::{IDENTITY, find};
use super::moment::{day, moment};
use crate::{Command, Failure, Given, Kind, Object, Outcome, Parameter, World};

const NAME: Parameter = Parameter::new("Name", Kind::Text, "what it is for, such as \"Ann's phone\"");
const PROTOCOLS: Parameter =
    Parameter::new("Protocols", Kind::List, "those that it is good for, of POP3, IMAP4 and SMTP; all unless given");
const EXPIRATION: Parameter =
    Parameter::new("ExpirationDate", Kind::Text, "its last day (UTC), such as 2027-12-31; without end unless given");

pub const COMMANDS: &[Command] = &[
    Command {
        verb: "New",
        noun: "AppPassword",
        synopsis: "Makes a password for one device or program, and shows it this once",
        parameters: &[IDENTITY, NAME.required(), PROTOCOLS, EXPIRATION],
        destroys: None,
        run: |world, given| Box::pin(new(world, given)),
    },
    Command {
        verb: "Get",
        noun: "AppPassword",
        synopsis: "Shows the app passwords of a mailbox, without the passwords themselves",
        parameters: &[IDENTITY],
        destroys: None,
        run: |world, given| Box::pin(get(world, given)),
    },
    Command {
        verb: "Remove",
        noun: "AppPassword",
        synopsis: "Takes an app password away; sessions of the mailbox end",
        parameters: &[IDENTITY, NAME.required()],
        destroys: None,
        run: |world, given| Box::pin(remove(world, given)),
    },
];

async fn new(world: &dyn World, given: Given<'_>) -> Result<Outcome, Failure> {
    let account = find(world, given).await?;
    let name = given.required(NAME.name)?.trim();
    if name.is_empty() || name.len() > 100 || name.chars().any(char::is_control) {
        return Err(Failure("-Name: 1 to 100 octets without control characters are expected".into()));
    }
    let (protocols, expires) = (protocols(given)?, expires(given, world.now())?);
    let (password, digest) = world.passwords().make_app_password().map_err(Failure)?;
    let made = AppPassword { name: name.to_owned(), digest, protocols, created: world.now(), expires, last_used: None };
    let mut shown = describe(&account, &made);
    change(world, &account, AppPasswordChange::Add(made), name).await?;
    shown.insert("Password".into(), password.into());
    let mut outcome = Outcome::of(vec![shown]);
    outcome.warnings.push("The password is shown this once. It is typed with or without its hyphens.".into());
    Ok(outcome)
}

async fn get(world: &dyn World, given: Given<'_>) -> Result<Outcome, Failure> {
    let account = find(world, given).await?;
    Ok(Outcome::of(account.app_passwords.iter().map(|one| describe(&account, one)).collect()))
}

async fn remove(world: &dyn World, given: Given<'_>) -> Result<Outcome, Failure> {
    let account = find(world, given).await?;
    let name = given.required(NAME.name)?;
    change(world, &account, AppPasswordChange::Remove { name: name.to_owned() }, name).await?;
    // Which of its sessions began with it is not known.
    world.passwords().revoke(account.id);
    Ok(Outcome::default())
}

async fn change(world: &dyn World, account: &Account, change: AppPasswordChange, name: &str) -> Result<(), Failure> {
    let change = AccountChange { app_password: Some(change), ..AccountChange::default() };
    world.directory().change(account.id, change).await.map_err(|error| match error {
        Error::Exists(_) => Failure(format!("{} has an app password named {name} already", account.address)),
        Error::NotFound(_) => {
            let known: Vec<&str> = account.app_passwords.iter().map(|one| one.name.as_str()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            Failure(format!("{} has no app password named {name}; it has: {known}", account.address))
        }
        error => error.into(),
    })
}

fn describe(account: &Account, one: &AppPassword) -> Object {
    let Protocols { pop3, imap4, smtp } = one.protocols;
    let protocols = NAMES.into_iter().zip([pop3, imap4, smtp]).filter(|(_, has)| *has).map(|(name, _)| name);
    Object::from_iter([
        ("Identity".into(), Value::from(account.address.as_str())),
        (NAME.name.into(), one.name.as_str().into()),
        (PROTOCOLS.name.into(), protocols.collect()),
        ("Created".into(), day(one.created)),
        (EXPIRATION.name.into(), one.expires.map_or(Value::Null, |end| day(end - 1))),
        ("LastUsed".into(), one.last_used.map_or(Value::Null, moment)),
    ])
}

const NAMES: [&str; 3] = ["POP3", "IMAP4", "SMTP"];

fn protocols(given: Given<'_>) -> Result<Protocols, Failure> {
    let Some(names) = given.list(PROTOCOLS.name)? else { return Ok(Protocols::ALL) };
    let mut chosen = Protocols::NONE;
    for name in names {
        match NAMES.iter().position(|known| known.eq_ignore_ascii_case(name)) {
            Some(0) => chosen.pop3 = true,
            Some(1) => chosen.imap4 = true,
            Some(_) => chosen.smtp = true,
            None => return Err(Failure(format!("-Protocols: {name:?} is not one of POP3, IMAP4, SMTP"))),
        }
    }
    if chosen == Protocols::NONE {
        return Err(Failure("-Protocols: name at least one of POP3, IMAP4, SMTP".into()));
    }
    Ok(chosen)
}

/// The end of the day that is given.
fn expires(given: Given<'_>, now: Timestamp) -> Result<Option<Timestamp>, Failure> {
    let Some(text) = given.text(EXPIRATION.name)? else { return Ok(None) };
    let date = Date::parse(text.trim(), format_description!("[year]-[month]-[day]"));
    let end = date.ok().and_then(Date::next_day).map(|next| next.midnight().assume_utc().unix_timestamp());
    match end {
        None => Err(Failure(format!("-ExpirationDate: a day such as 2027-12-31 is expected, not {text:?}"))),
        Some(end) if end <= now => Err(Failure(format!("-ExpirationDate: {} is over", text.trim()))),
        end => Ok(end),
    }
}
