//! `New-Mailbox`, `Get-Mailbox`, `Set-Mailbox`, `Remove-Mailbox`.

use std::sync::Arc;

use identity::Strength;
use serde_json::{Value, json};
use store::{Account, AccountChange, AccountId, Address, NewAccount, Source};

use super::moment::moment;
use crate::settings::SettingValue;
use crate::{Command, Failure, Given, Kind, Object, Outcome, Parameter, World};

pub(super) const ANY: Parameter = Parameter::new(
    "Identity",
    Kind::Text,
    "the mailbox's address, such as ann@example.test; ann alone is of the default domain",
)
.positional();
pub(super) const IDENTITY: Parameter = ANY.required();
pub(super) const RESULT_SIZE: Parameter =
    Parameter::new("ResultSize", Kind::Text, "how many at most, or unlimited; 1000 unless given");
const PASSWORD: Parameter =
    Parameter::new("Password", Kind::Secret, "asked for, or read with -PasswordFile FILE (- is standard input)");
const ALIASES: Parameter =
    Parameter::new("EmailAddresses", Kind::List, "further addresses that deliver here; replaces the list");
const QUOTA: Parameter =
    Parameter::new("Quota", Kind::Text, "octets that the mailbox may hold, such as 2GB, or unlimited");

pub const COMMANDS: &[Command] = &[
    Command {
        verb: "New",
        noun: "Mailbox",
        synopsis: "Makes a mailbox with its folders",
        parameters: &[IDENTITY, PASSWORD.required(), ALIASES, QUOTA],
        destroys: None,
        run: |world, given| Box::pin(new(world, given)),
    },
    Command {
        verb: "Get",
        noun: "Mailbox",
        synopsis: "Shows mailboxes",
        parameters: &[ANY, RESULT_SIZE],
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

/// `ntlm`: whether the mailbox may be logged on to by NTLM. What is weak about it is a warning, or an error.
async fn password(
    world: &dyn World,
    given: Given<'_>,
    address: &Address,
    ntlm: bool,
    warnings: &mut Vec<String>,
) -> Result<Option<store::Password>, Failure> {
    let Some(password) = given.text("Password")? else { return Ok(None) };
    identity::check_password(password).map_err(|unfit| Failure(unfit.to_string()))?;
    let Strength { score, advice } = Strength::of(password, address.as_str());
    let least = world.started_with().server.minimum_password_strength;
    if u32::from(score) < least {
        return Err(Failure(format!(
            "the password is guessed too soon (strength {score} of 4; MinimumPasswordStrength is {least}). {advice}"
        )));
    }
    if score < Strength::GOOD {
        warnings.push(format!("The password is weak (strength {score} of 4). {advice}"));
    }
    world.passwords().hash(password.to_owned(), ntlm).await.map(Some).map_err(Failure)
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

/// Why a mailbox cannot have these addresses; `own`: whose may be among them.
async fn not_given(
    world: &dyn World,
    error: store::Error,
    addresses: &[Address],
    own: Option<AccountId>,
) -> Result<Failure, Failure> {
    match error {
        store::Error::Exists(_) => {
            for address in addresses {
                if let Some(other) = world.directory().find(address).await?.filter(|found| Some(found.id) != own) {
                    return Ok(Failure(format!("{address} belongs to a mailbox already, {}", other.address)));
                }
            }
        }
        store::Error::NotFound(_) => {
            let accepted = world.directory().domains().await?;
            let stray = |address: &&Address| accepted.iter().all(|domain| domain.name != address.domain());
            if let Some(stray) = addresses.iter().find(stray) {
                let accepted = accepted.iter().map(|domain| domain.name.as_str()).collect::<Vec<_>>().join(", ");
                return Ok(Failure(format!(
                    "{0} is not an accepted domain of this server, which accepts: {accepted}. To accept it too: New-AcceptedDomain {0}",
                    stray.domain()
                )));
            }
        }
        _ => {}
    }
    Ok(error.into())
}

/// The mailbox's address; a bare name is of the default domain.
pub(super) async fn identity(world: &dyn World, given: Given<'_>) -> Result<Address, Failure> {
    address(world, given.required("Identity")?).await
}

async fn address(world: &dyn World, name: &str) -> Result<Address, Failure> {
    let domains = world.directory().domains().await?;
    let default = domains.iter().find(|domain| domain.default).map_or("", |domain| domain.name.as_str());
    Ok(Address::parse(&identity::user_address(name, default))?)
}

fn is_unlimited(text: &str) -> bool {
    text.eq_ignore_ascii_case("unlimited")
}

/// The outer `None`: not given; the inner: unlimited.
fn quota(given: Given<'_>) -> Result<Option<Option<u64>>, Failure> {
    match given.text("Quota")? {
        None => Ok(None),
        Some(text) if is_unlimited(text) => Ok(Some(None)),
        Some(text) => match u64::read(&json!(text)) {
            Ok(octets) => Ok(Some(Some(octets))),
            Err(why) => Err(Failure(format!("-Quota: {why}, or unlimited"))),
        },
    }
}

pub(super) async fn find(world: &dyn World, given: Given<'_>) -> Result<Arc<Account>, Failure> {
    named(world, given.required("Identity")?).await
}

/// The mailbox of that name.
pub(super) async fn named(world: &dyn World, name: &str) -> Result<Arc<Account>, Failure> {
    let address = address(world, name).await?;
    let found = world.directory().find(&address).await?;
    found.ok_or_else(|| Failure(format!("there is no mailbox {address}. Get-Mailbox shows them all.")))
}

async fn describe(world: &dyn World, account: &Account) -> Result<Object, Failure> {
    let usage = world.mailboxes().usage(account.id).await?;
    // What is kept of the password of a directory's user is none of its own.
    let own = account.password.as_ref().filter(|_| account.source == Source::Local);
    let set = own.map(|password| password.set);
    let lifetime = world.started_with().server.password_lifetime;
    let expires = set.and_then(|set| identity::expiry(set, lifetime));
    Ok(Object::from_iter([
        ("Identity".into(), Value::from(account.address.as_str())),
        ("EmailAddresses".into(), account.aliases.iter().map(|alias| Value::from(alias.as_str())).collect()),
        ("ItemCount".into(), usage.messages.into()),
        ("TotalItemSize".into(), usage.octets.into()),
        ("Quota".into(), account.quota.map_or(Value::from("unlimited"), Value::from)),
        ("PasswordLastSet".into(), set.map_or(Value::Null, moment)),
        ("PasswordExpires".into(), expires.map_or("never".into(), moment)),
        ("Source".into(), if account.source == Source::Local { "Local" } else { "Directory" }.into()),
        ("DistinguishedName".into(), account.source.entry().map_or("", |entry| &entry.name).into()),
    ]))
}

async fn new(world: &dyn World, given: Given<'_>) -> Result<Outcome, Failure> {
    let address = identity(world, given).await?;
    let mut warnings = Vec::new();
    let account = NewAccount {
        address: address.clone(),
        aliases: aliases(given)?.unwrap_or_default(),
        source: Source::Local,
        password: password(world, given, &address, false, &mut warnings).await?,
        quota: quota(given)?.flatten(),
        created: world.now(),
    };
    let addresses = [&[address][..], &account.aliases].concat();
    if let Err(error) = world.directory().create(account).await {
        return Err(not_given(world, error, &addresses, None).await?);
    }
    Ok(Outcome { warnings, ..get(world, given).await? })
}

async fn get(world: &dyn World, given: Given<'_>) -> Result<Outcome, Failure> {
    if given.text("Identity")?.is_some() {
        let account = find(world, given).await?;
        return Ok(Outcome::of(vec![describe(world, &account).await?]));
    }
    let wanted = result_size(given)?;
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

/// How many results are wanted at most.
pub(super) fn result_size(given: Given<'_>) -> Result<usize, Failure> {
    match given.text(RESULT_SIZE.name)? {
        None => Ok(1000),
        Some(text) if is_unlimited(text) => Ok(usize::MAX),
        Some(text) => match u32::read(&json!(text)) {
            Ok(number) => Ok(number as usize),
            Err(why) => Err(Failure(format!("-ResultSize: {why}, or unlimited"))),
        },
    }
}

async fn set(world: &dyn World, given: Given<'_>) -> Result<Outcome, Failure> {
    let account = find(world, given).await?;
    if let Some(entry) = account.source.entry() {
        refuse_what_is_the_directorys(given, &entry.name)?;
    }
    let mut warnings = Vec::new();
    let password = password(world, given, &account.address, account.access.ntlm, &mut warnings).await?;
    let mut change = AccountChange {
        aliases: aliases(given)?,
        password: password.map(Some),
        quota: quota(given)?,
        ..AccountChange::default()
    };
    // What is kept of a password depends on whether it is to be good for NTLM.
    change.provided_access = change.password.is_some().then_some(account.access);
    if change.aliases.is_none() && change.password.is_none() && change.quota.is_none() {
        return Err(Failure("name what to change: -Password, -EmailAddresses or -Quota".into()));
    }
    let aliases = change.aliases.clone().unwrap_or_default();
    // A certificate may have logged on with an address that is taken away.
    let is_taken_away = |own: &Address| change.aliases.as_ref().is_some_and(|aliases| !aliases.contains(own));
    let is_to_end = change.password.is_some() || account.aliases.iter().any(is_taken_away);
    if let Err(error) = world.directory().change(account.id, change).await {
        if matches!(error, store::Error::Conflict) {
            return Err(Failure("the mailbox was changed meanwhile, and so nothing was now. Try again.".into()));
        }
        return Err(not_given(world, error, &aliases, Some(account.id)).await?);
    }
    if is_to_end {
        world.passwords().revoke(account.id);
    }
    let account = find(world, given).await?;
    Ok(Outcome { warnings, ..Outcome::of(vec![describe(world, &account).await?]) })
}

/// Both would be forgotten when the directory is asked next.
fn refuse_what_is_the_directorys(given: Given<'_>, name: &str) -> Result<(), Failure> {
    for (parameter, what) in [(PASSWORD, "password is"), (ALIASES, "addresses are")] {
        if given.value(parameter.name).is_some() {
            return Err(Failure(format!("the mailbox's {what} the directory's: change the entry {name} there")));
        }
    }
    Ok(())
}

async fn remove(world: &dyn World, given: Given<'_>) -> Result<Outcome, Failure> {
    let account = find(world, given).await?;
    world.directory().remove(account.id).await?;
    world.passwords().revoke(account.id);
    Ok(Outcome::default())
}
