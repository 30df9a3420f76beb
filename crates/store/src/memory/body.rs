//! Bodies as they stream in.

use std::sync::Arc;

use bytes::Bytes;

use crate::{BodyWriter, Content, Future, MessageSize, Result, Staged};

/// Collects a body and reads it as it comes.
pub(super) struct Collected {
    pub bytes: Vec<u8>,
    pub parser: mime::Parser,
}

impl BodyWriter for Collected {
    fn write<'a>(&'a mut self, chunk: &'a [u8]) -> Future<'a, Result<()>> {
        Box::pin(async move {
            self.parser.push(chunk);
            self.bytes.extend_from_slice(chunk);
            Ok(())
        })
    }

    fn finish(self: Box<Self>) -> Future<'static, Result<Staged>> {
        Box::pin(async move {
            Ok(Staged {
                size: MessageSize::of(&self.bytes),
                outline: Arc::new(self.parser.finish()),
                content: Content::Inline { bytes: Bytes::from(self.bytes), permit: Box::new(()) },
            })
        })
    }
}
