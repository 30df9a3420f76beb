//! `New-Mailbox`, `Get-Mailbox`, `Set-Mailbox`, `Remove-Mailbox`.

use std::sync::Arc;

use serde_json::{Value, json};
use store::{Account, AccountChange, Address, NewAccount};

use crate::settings::SettingValue;
use crate::{Command, Failure, Given, Kind, Object, Outcome, Parameter, World};

pub(super) const IDENTITY: Parameter = Parameter {
    name: "Identity",
    kind: Kind::Text,
    required: true,
    meaning: "the mailbox's address, such as ann@example.test",
    form: None,
};
const PASSWORD: Parameter = Parameter {
    name: "Password",
    kind: Kind::Secret,
    required: false,
    meaning: "asked for, or read with -PasswordFile FILE (- is standard input)",
    form: None,
};
const ALIASES: Parameter = Parameter {
    name: "EmailAddresses",
    kind: Kind::List,
    required: false,
    meaning: "further addresses that deliver here; replaces the list",
    form: None,
};
const QUOTA: Parameter = Parameter {
    name: "Quota",
    kind: Kind::Text,
    required: false,
    meaning: "octets that the mailbox may hold, such as 2GB, or unlimited",
    form: None,
};

pub const COMMANDS: &[Command] = &[
    Command {
        verb: "New",
        noun: "Mailbox",
        synopsis: "Makes a mailbox with its folders",
        parameters: &[IDENTITY, Parameter { required: true, ..PASSWORD }, ALIASES, QUOTA],
        destroys: None,
        run: |world, given| Box::pin(new(world, given)),
    },
    Command {
        verb: "Get",
        noun: "Mailbox",
        synopsis: "Shows mailboxes",
        parameters: &[
            Parameter { required: false, ..IDENTITY },
            Parameter {
                name: "ResultSize",
                kind: Kind::Text,
                required: false,
                meaning: "how many at most; 1000 unless given",
                form: None,
            },
        ],
        destroys: None,
        run: |world, given| Box::pin(get(world, given)),
    },
    Command {
        verb: "Set",
        noun: "Mailbox",
        synopsis: "Changes a mailbox's password, addresses or quota",
        parameters: &[IDENTITY, PASSWORD, ALIASES, QUOTA],
        destroys: None,
        run: |world, given| Box::pin(set(world, given)),
    },
    Command {
        verb: "Remove",
        noun: "Mailbox",
        synopsis: "Removes a mailbox with its mail",
        parameters: &[IDENTITY],
        destroys: Some("remove the mailbox and all its mail"),
        run: |world, given| Box::pin(remove(world, given)),
    },
];

async fn password(world: &dyn World, given: Given<'_>) -> Result<Option<store::PasswordHash>, Failure> {
    let Some(password) = given.text("Password")? else { return Ok(None) };
    identity::check_password(password).map_err(|unfit| Failure(unfit.to_string()))?;
    world.passwords().hash(password.to_owned()).await.map(Some).map_err(Failure)
}

fn aliases(given: Given<'_>) -> Result<Option<Vec<Address>>, Failure> {
    let Some(texts) = given.list("EmailAddresses")? else { return Ok(None) };
    let mut aliases: Vec<Address> = Vec::with_capacity(texts.len());
    for text in texts {
        let alias = Address::parse(text)?;
        if aliases.contains(&alias) {
            return Err(Failure(format!("-EmailAddresses has {alias} twice")));
        }
        aliases.push(alias);
    }
    Ok(Some(aliases))
}

/// Why a mailbox cannot have these addresses.
fn not_given(error: store::Error, addresses: &[Address]) -> Failure {
    let named = addresses.iter().map(Address::as_str).collect::<Vec<_>>().join(", ");
    match error {
        store::Error::Exists(_) if addresses.len() == 1 => Failure(format!("{named} belongs to a mailbox already")),
        store::Error::Exists(_) => Failure(format!("one of these belongs to a mailbox already: {named}")),
        store::Error::NotFound(_) if !addresses.is_empty() => {
            Failure(format!("not in an accepted domain of this server: {named}"))
        }
        other => other.into(),
    }
}

/// The outer `None`: not given; the inner: unlimited.
fn quota(given: Given<'_>) -> Result<Option<Option<u64>>, Failure> {
    match given.text("Quota")? {
        None => Ok(None),
        Some(text) if text.eq_ignore_ascii_case("unlimited") => Ok(Some(None)),
        Some(text) => match u64::read(&json!(text)) {
            Ok(octets) => Ok(Some(Some(octets))),
            Err(why) => Err(Failure(format!("-Quota: {why}, or unlimited"))),
        },
    }
}

async fn find(world: &dyn World, given: Given<'_>) -> Result<Arc<Account>, Failure> {
    let address = Address::parse(given.required("Identity")?)?;
    let found = world.directory().find(&address).await?;
    found.ok_or_else(|| Failure(format!("there is no mailbox {address}. Get-Mailbox shows them all.")))
}

async fn describe(world: &dyn World, account: &Account) -> Result<Object, Failure> {
    let usage = world.mailboxes().usage(account.id).await?;
    Ok(Object::from_iter([
        ("Identity".into(), Value::from(account.address.as_str())),
        ("EmailAddresses".into(), account.aliases.iter().map(|alias| Value::from(alias.as_str())).collect()),
        ("ItemCount".into(), usage.messages.into()),
        ("TotalItemSize".into(), usage.octets.into()),
        ("Quota".into(), account.quota.map_or(Value::from("unlimited"), Value::from)),
    ]))
}

async fn new(world: &dyn World, given: Given<'_>) -> Result<Outcome, Failure> {
    let address = Address::parse(given.required("Identity")?)?;
    let account = NewAccount {
        address: address.clone(),
        aliases: aliases(given)?.unwrap_or_default(),
        password: password(world, given).await?,
        quota: quota(given)?.flatten(),
        created: world.now(),
    };
    let addresses = [&[address][..], &account.aliases].concat();
    let created = world.directory().create(account).await;
    created.map_err(|error| not_given(error, &addresses))?;
    get(world, given).await
}

async fn get(world: &dyn World, given: Given<'_>) -> Result<Outcome, Failure> {
    if given.text("Identity")?.is_some() {
        let account = find(world, given).await?;
        return Ok(Outcome::of(vec![describe(world, &account).await?]));
    }
    let wanted = given.text("ResultSize")?.map(|text| u32::read(&json!(text))).transpose();
    let wanted = wanted.map_err(|why| Failure(format!("-ResultSize: {why}")))?.unwrap_or(1000) as usize;
    // One more than is shown tells whether there are more.
    let mut accounts = world.directory().accounts(None, wanted.saturating_add(1)).await?;
    let mut outcome = Outcome::default();
    if accounts.len() > wanted {
        accounts.truncate(wanted);
        outcome.warnings.push(format!("There are more than these {wanted} mailboxes; ask for more with -ResultSize."));
    }
    for account in &accounts {
        outcome.results.push(describe(world, account).await?);
    }
    Ok(outcome)
}

async fn set(world: &dyn World, given: Given<'_>) -> Result<Outcome, Failure> {
    let account = find(world, given).await?;
    let change = AccountChange {
        aliases: aliases(given)?,
        password: password(world, given).await?.map(Some),
        quota: quota(given)?,
    };
    if change.aliases.is_none() && change.password.is_none() && change.quota.is_none() {
        return Err(Failure("name what to change: -Password, -EmailAddresses or -Quota".into()));
    }
    let aliases = change.aliases.clone().unwrap_or_default();
    let has_new_password = change.password.is_some();
    let changed = world.directory().change(account.id, change).await;
    changed.map_err(|error| not_given(error, &aliases))?;
    if has_new_password {
        world.passwords().revoke(account.id);
    }
    let account = find(world, given).await?;
    Ok(Outcome::of(vec![describe(world, &account).await?]))
}

async fn remove(world: &dyn World, given: Given<'_>) -> Result<Outcome, Failure> {
    let account = find(world, given).await?;
    world.directory().remove(account.id).await?;
    world.passwords().revoke(account.id);
    Ok(Outcome::default())
}
