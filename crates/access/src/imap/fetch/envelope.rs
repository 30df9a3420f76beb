//! ENVELOPE (RFC 3501 §7.4.2).

use mime::{Address, Envelope};
use proto::imap::write;

pub fn envelope(out: &mut Vec<u8>, envelope: &Envelope) {
    out.push(b'(');
    write::nstring(out, envelope.date.as_deref());
    out.push(b' ');
    write::nstring(out, envelope.subject.as_deref());
    let lists = [
        &envelope.from,
        envelope.effective_sender(),
        envelope.effective_reply_to(),
        &envelope.to,
        &envelope.cc,
        &envelope.bcc,
    ];
    for list in lists {
        out.push(b' ');
        addresses(out, list);
    }
    out.push(b' ');
    write::nstring(out, envelope.in_reply_to.as_deref());
    out.push(b' ');
    write::nstring(out, envelope.message_id.as_deref());
    out.push(b')');
}

fn addresses(out: &mut Vec<u8>, addresses: &[Address]) {
    if addresses.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for address in addresses {
        out.push(b'(');
        write::nstring(out, address.name.as_deref());
        for field in [&address.route, &address.mailbox, &address.host] {
            out.push(b' ');
            write::nstring(out, field.as_deref());
        }
        out.push(b')');
    }
    out.push(b')');
}
