//! Messages coming in, on engine and model.

use std::rc::Rc;

use bytes::Bytes;

use super::Run;
use super::state::{Fault, Letter, Row, agreed};
use super::verb::{KEYWORDS, Target};
use crate::conformance::letters::{letter, prefix};
use crate::conformance::trial::{keyword, wait};
use crate::{Accept, DeliveryId, Error, Flags, Placed, Placement, Uid};

impl Run {
    pub fn accept(&mut self, seed: u64, size: usize, piece: usize, targets: &[Target]) {
        let body = letter(seed, size);
        let placements: Vec<Placement> = targets
            .iter()
            .map(|target| Placement {
                folder: self.folder_id(target.place),
                prefix: Bytes::from(prefix(target.prefix)),
                flags: Flags::from_bits(target.flags),
                keywords: target.keywords.iter().map(|&at| keyword(KEYWORDS[at])).collect(),
                internal_date: target.date,
                delivery: target.delivery.map(DeliveryId),
            })
            .collect();
        let staged = self.trial.stage(&body, piece.max(size / 1000 + 1));
        let accept = Accept::each(staged, placements.clone());
        let answers = wait(self.trial.mailboxes().accept(accept)).unwrap();
        assert_eq!(answers.len(), placements.len());
        for (placement, answer) in placements.iter().zip(answers) {
            self.place(&body, placement, answer);
        }
    }

    fn place(&mut self, body: &[u8], placement: &Placement, answer: Result<Placed, Error>) {
        let letter = Rc::new(Letter { prefix: placement.prefix.to_vec(), body: body.to_vec() });
        let Some(mailbox) = self.model.accounts.get_mut(&placement.folder.account()) else {
            agreed(answer, &[Fault::NotFound]);
            return;
        };
        let there = mailbox.by_id(placement.folder).is_some();
        if let Some(known) = placement.delivery.and_then(|id| mailbox.deliveries.get(&id)) {
            match answer {
                Ok(again) => assert_eq!(again, Placed { duplicate: true, ..*known }),
                Err(error) => assert!(!there && matches!(error, Error::NotFound(_)), "{error:?}"),
            }
            return;
        }
        let mut faults = Vec::new();
        if !there {
            faults.push(Fault::NotFound);
        }
        if !mailbox.fits(letter.size()) {
            faults.push(Fault::OverQuota);
        }
        let Some(placed) = agreed(answer, &faults) else { return };
        let folder = mailbox.by_id(placement.folder).unwrap();
        let uid = folder.push(Row {
            letter,
            message: None,
            modseq: None,
            flags: placement.flags.bits(),
            keywords: placement.keywords.iter().map(|keyword| keyword.as_str().to_ascii_lowercase()).collect(),
            date: placement.internal_date,
        });
        let expected = Placed {
            folder: placement.folder,
            uid_validity: folder.uid_validity.unwrap(),
            uid: Uid::new(uid).unwrap(),
            duplicate: false,
        };
        assert_eq!(placed, expected);
        mailbox.changed = true;
        mailbox.deliveries.extend(placement.delivery.map(|id| (id, placed)));
    }
}
