//! SELECT and EXAMINE (RFC 3501 §6.3.1, §6.3.2).

use proto::imap::command::Select;
use proto::imap::write::{self, Code, Condition};
use store::Mailboxes;

use super::answer::{Answer, Part};
use super::refusal::Outcome;
use super::session::{Selected, Session, find};
use super::telling::known_flags;
use crate::view::View;

pub async fn select(
    session: &mut Session,
    mailboxes: &dyn Mailboxes,
    select: Select,
    read_only: bool,
    answer: &mut Answer,
) -> Outcome {
    // RFC 3501 §6.3.1: what was selected is so no more, also if this fails.
    if session.selected.take().is_some() {
        // RFC 7162 §3.2.11: what is told from here on is of the other mailbox.
        let mut out = Vec::new();
        write::untagged(&mut out, Condition::Ok, Some(Code::Closed), "The mailbox before is closed.");
        answer.push(Part::Text(out));
    }
    let folder = find(session.account, mailboxes, select.mailbox.as_str()).await?.id;
    let recent = match read_only {
        true => mailboxes.first_recent(folder).await?,
        false => mailboxes.claim_recent(folder).await?,
    };
    let view = View::new(mailboxes.listing(folder).await?, recent);
    answer.push(Part::Text(state(&view, read_only)));
    session.selected = Some(Box::new(Selected { folder, read_only, view }));
    match read_only {
        true => answer.complete(Some(Code::ReadOnly), "EXAMINE completed."),
        false => answer.complete(Some(Code::ReadWrite), "SELECT completed."),
    }
    Ok(())
}

fn state(view: &View, read_only: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let listing = view.listing();
    known_flags(&mut out, view, read_only);
    write::untagged_number(&mut out, view.len().into(), "EXISTS");
    write::untagged_number(&mut out, view.recent_count().into(), "RECENT");
    let mut code = |code, text| write::untagged(&mut out, Condition::Ok, Some(code), text);
    if let Some(position) = view.first_unseen() {
        code(Code::Unseen(position + 1), "The first unseen message.");
    }
    code(Code::UidValidity(listing.uid_validity().0.get()), "UIDs are valid.");
    code(Code::UidNext(listing.uid_next().get()), "The next UID.");
    highest_mod_seq(&mut out, view);
    out
}

pub fn highest_mod_seq(out: &mut Vec<u8>, view: &View) {
    // RFC 7162 §7: mod-sequence-value is at least 1.
    let code = Code::HighestModSeq(view.listing().highest_modseq().0.max(1));
    write::untagged(out, Condition::Ok, Some(code), "The greatest mod-sequence.");
}
