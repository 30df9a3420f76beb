//! COPY and MOVE with their UID forms (RFC 3501 §6.4.7, RFC 6851, RFC 4315 §3).

use proto::imap::command::Copy;
use proto::imap::write::{self, Code, Condition};
use store::{Applied, Change, Mailboxes, UidSet};

use super::answer::{Answer, Part};
use super::refusal::{Outcome, Refusal};
use super::session::{Selected, Session, find};
use super::set;

pub async fn copy(session: &mut Session, mailboxes: &dyn Mailboxes, copy: Copy, answer: &mut Answer) -> Outcome {
    let account = session.account;
    let selected = session.selected()?;
    let uids = chosen(selected, &copy)?;
    let to = find(account, mailboxes, copy.mailbox.as_str()).await.map_err(Refusal::of_target)?.id;
    let text = if copy.uid { "UID COPY completed." } else { "COPY completed." };
    if uids.is_empty() {
        answer.complete(None, text);
        return Ok(());
    }
    let applied = mailboxes.apply(selected.folder, uids, Change::Copy { to }, None).await;
    let applied = applied.map_err(|error| Refusal::from(error).of_target())?;
    with_copied(&applied, |code| answer.complete(code, text));
    Ok(())
}

pub async fn move_(session: &mut Session, mailboxes: &dyn Mailboxes, copy: Copy, answer: &mut Answer) -> Outcome {
    let account = session.account;
    let selected = session.writable()?;
    let uids = chosen(selected, &copy)?;
    let to = find(account, mailboxes, copy.mailbox.as_str()).await.map_err(Refusal::of_target)?.id;
    if uids.is_empty() {
        return Ok(());
    }
    let applied = mailboxes.apply(selected.folder, uids, Change::Move { to }, None).await;
    let applied = applied.map_err(|error| Refusal::from(error).of_target())?;
    // RFC 6851 §4.3: the UIDs go out in an untagged OK before the expunges, which the caller tells.
    with_copied(&applied, |code| {
        if code.is_some() {
            let mut out = Vec::new();
            write::untagged(&mut out, Condition::Ok, code, "Moved.");
            answer.push(Part::Text(out));
        }
    });
    Ok(())
}

fn chosen(selected: &Selected, copy: &Copy) -> Outcome<UidSet> {
    let positions = set::positions(&selected.view, &copy.set, copy.uid)?;
    let uids = selected.view.uids(&positions);
    // RFC 2180 §4.4.1: all or nothing, if the client could not know that a message is gone.
    if !copy.uid && selected.view.holds_ghost(&uids) {
        return Err(Refusal::EXPUNGED);
    }
    Ok(uids)
}

/// RFC 4315 §3: which message became which; nothing if nothing was copied.
fn with_copied(applied: &Applied, tell: impl FnOnce(Option<Code<'_>>)) {
    match &applied.copied {
        Some((uid_validity, pairs)) if !pairs.is_empty() => {
            let from: UidSet = pairs.iter().map(|(from, _)| *from).collect();
            let to: UidSet = pairs.iter().map(|(_, to)| *to).collect();
            let (from, to) = (from.to_string(), to.to_string());
            tell(Some(Code::CopyUid { uid_validity: uid_validity.0.get(), from: &from, to: &to }));
        }
        _ => tell(None),
    }
}
