//! Connections to the directory: so many at most, used again, and made anew when they break.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ldap3::Ldap;
use proto::logon::Secret;
use rustls::ClientConfig;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::question::{Bind, Question, is_well};
use super::server::Server;

/// Why no server of the directory gave an answer; for the log.
pub type Away = String;

/// Why one server gave no answer.
enum Fault {
    /// It cannot be had.
    Away(String),
    /// It has none to this question.
    NoAnswer(String),
}

pub struct Pool {
    servers: Arc<[Server]>,
    tls: Arc<ClientConfig>,
    /// Whom each connection is logged on as.
    who: Option<(String, Secret)>,
    /// For one server and one answer.
    patience: Duration,
    places: Semaphore,
    idle: Mutex<Vec<Ldap>>,
}

impl Pool {
    pub fn new(
        servers: Arc<[Server]>,
        tls: Arc<ClientConfig>,
        who: Option<(String, Secret)>,
        patience: Duration,
        most: usize,
    ) -> Self {
        Self { servers, tls, who, patience, places: Semaphore::new(most), idle: Mutex::default() }
    }

    /// The answer of the first server that has one.
    pub async fn ask<Q: Question>(&self, question: &Q) -> Result<Q::Answer, Away> {
        let place = timeout(self.patience, self.places.acquire()).await;
        let Ok(Ok(_place)) = place else { return Err("all connections to the directory are in use".to_owned()) };
        // One that was well may have broken since: that says nothing of the server.
        if let Some(mut ldap) = self.take_idle()
            && let Ok(answer) = self.within(async { put(question, &mut ldap).await }).await
        {
            self.give_back(ldap);
            return Ok(answer);
        }
        let mut why = Vec::new();
        for server in self.servers.iter() {
            let Some(attempt) = server.attempt() else {
                why.push(format!("{}: it is being tried", server.url()));
                continue;
            };
            let asked = self.within(async {
                let mut ldap = self.connect(server).await.map_err(Fault::Away)?;
                let answer = put(question, &mut ldap).await?;
                Ok((ldap, answer))
            });
            let error = match asked.await {
                Ok((ldap, answer)) => {
                    attempt.succeeded();
                    self.give_back(ldap);
                    return Ok(answer);
                }
                Err(Fault::Away(error)) => {
                    attempt.failed(&error);
                    error
                }
                Err(Fault::NoAnswer(error)) => {
                    attempt.succeeded();
                    error
                }
            };
            why.push(format!("{}: {error}", server.url()));
        }
        Err(why.join("; "))
    }

    async fn within<T>(&self, done: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        let done = timeout(self.patience, done).await;
        done.unwrap_or_else(|_| Err(Fault::Away(format!("no answer within {} seconds", self.patience.as_secs()))))
    }

    async fn connect(&self, server: &Server) -> Result<Ldap, String> {
        let mut ldap = server.connect(&self.tls).await?;
        let Some((name, password)) = &self.who else { return Ok(ldap) };
        match (Bind { name, password }).put(&mut ldap).await {
            Ok(Ok(())) => Ok(ldap),
            Ok(Err(refused)) => Err(format!("Ldap.BindDn was refused: {refused}")),
            Err(error) => Err(error.to_string()),
        }
    }

    fn take_idle(&self) -> Option<Ldap> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain_mut(|ldap| !ldap.is_closed());
        idle.pop()
    }

    fn give_back(&self, ldap: Ldap) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(ldap);
    }
}

async fn put<Q: Question>(question: &Q, ldap: &mut Ldap) -> Result<Q::Answer, Fault> {
    question.put(ldap).await.map_err(|error| {
        let fault = if is_well(&error) { Fault::NoAnswer } else { Fault::Away };
        fault(error.to_string())
    })
}
