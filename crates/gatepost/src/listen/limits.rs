//! How many connections a service takes: in all, and from one address.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use identity::{ConnectionCounter, Origin};
use tokio::sync::OwnedSemaphorePermit;

use super::Descriptors;

/// The limits of one service and what counts against them.
pub struct Limits {
    max_connections: u32,
    max_from_one_address: u32,
    descriptors: Descriptors,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    all: u32,
    by_origin: ConnectionCounter<Origin>,
}

/// One counted connection; dropping it gives the place back.
pub struct Place {
    limits: Arc<Limits>,
    origin: Origin,
    _descriptor: OwnedSemaphorePermit,
}

impl Limits {
    pub fn new(max_connections: u32, max_from_one_address: u32, descriptors: Descriptors) -> Self {
        Self { max_connections, max_from_one_address, descriptors, open: Mutex::default() }
    }

    /// Counts a connection, or says in words for the client which limit is reached.
    pub(super) fn take(limits: &Arc<Self>, address: IpAddr) -> Result<Place, String> {
        let origin = Origin::of(address);
        let mut open = limits.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.all >= limits.max_connections {
            return Err(format!(
                "Too many connections: this service takes {} (MaxConnections).",
                limits.max_connections
            ));
        }
        let Some(descriptor) = limits.descriptors.take() else {
            return Err(format!(
                "Too many connections: this server can have {} open (limit of open files).",
                limits.descriptors.connections()
            ));
        };
        open.by_origin.take(origin, limits.max_from_one_address).map_err(|full| {
            format!("Too many connections from your address: {} are allowed (MaxConnectionFromSingleIP).", full.limit)
        })?;
        open.all += 1;
        drop(open);
        Ok(Place { limits: limits.clone(), origin, _descriptor: descriptor })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.limits.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all = open.all.saturating_sub(1);
        open.by_origin.release(&self.origin);
    }
}
