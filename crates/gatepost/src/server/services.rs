//! The services POP3 and IMAP4: started and stopped while the server runs.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use identity::Tls;
use management::{Port, Service, ServiceSettings};
use store::Settings;
use tokio::net::TcpStream;

use super::addresses;
use super::smtp::Smtp;
use crate::connection::{Connection, End, Opening, Protocol};
use crate::listen::{BindError, Binding, Limits, Listening, Serve, Shared, bind};
use crate::serve::{Site, Started, imap, pop3};

/// Both services, running or not.
pub struct Services {
    site: Arc<Site>,
    settings: Arc<dyn Settings>,
    /// In the order of [`Service::ALL`].
    tls: [crate::tls::Tls; 2],
    shared: Shared,
    /// Where SMTP listens.
    smtp: Arc<Smtp>,
    /// Held while a service starts or stops: one at a time.
    listening: tokio::sync::Mutex<[Option<Listening>; 2]>,
    /// In the same order.
    states: Mutex<[State; 2]>,
}

/// What became of a service.
#[derive(Default)]
enum State {
    #[default]
    Stopped,
    /// Its last start failed; the text tells the cure.
    Failed(String),
    Running(Arc<Started>),
}

impl Services {
    pub fn new(
        site: Arc<Site>,
        settings: Arc<dyn Settings>,
        tls: [crate::tls::Tls; 2],
        shared: Shared,
        smtp: Arc<Smtp>,
    ) -> Self {
        let (listening, states) = Default::default();
        Self { site, settings, tls, shared, smtp, listening, states }
    }

    /// Where each listens, in the order of [`Service::ALL`].
    pub async fn addresses(&self) -> [Vec<(SocketAddr, Opening)>; 2] {
        let listening = self.listening.lock().await;
        listening.each_ref().map(|listening| addresses(listening.as_ref()))
    }

    pub async fn stop_all(&self) {
        let [pop3, imap] = std::mem::take(&mut *self.listening.lock().await);
        let stop = async |listening: Option<Listening>| {
            if let Some(listening) = listening {
                listening.stop().await;
            }
        };
        tokio::join!(stop(pop3), stop(imap));
    }

    fn set_state(&self, service: Service, state: State) {
        *slot(&mut self.states.lock().unwrap_or_else(PoisonError::into_inner), service) = state;
    }

    /// Starts a service; one that runs goes on, or with `anew` is stopped once nothing but its own sessions stands in
    /// the way of the start.
    async fn begin(&self, service: Service, anew: bool) -> Port<()> {
        let mut listening = self.listening.lock().await;
        let own = addresses(slot(&mut listening, service).as_ref());
        if !anew && slot(&mut listening, service).is_some() {
            return Ok(());
        }
        let stored = self.settings.snapshot().await.map_err(|error| error.to_string())?;
        let settings = ServiceSettings::load(&stored, service).map_err(|invalid| invalid.0)?;
        let probe = Duration::from_millis(settings.implicit_tls_probe.into());
        let clear = settings.unencrypted_or_tls_bindings.iter().map(|address| (*address, Opening::Greeting { probe }));
        let tls = settings.ssl_bindings.iter().map(|address| (*address, Opening::Tls));
        let (mut bound, mut held_by_itself) = (Vec::new(), Vec::new());
        for (address, opening) in clear.chain(tls) {
            match bind(address) {
                Ok(listener) => bound.extend(listener.map(|listener| (listener, opening))),
                Err(BindError::InUse(_)) if own.iter().any(|(own, _)| own.port() == address.port()) => {
                    held_by_itself.push((address, opening));
                }
                Err(error) => return Err(self.not_bound(service, opening, error, &listening)),
            }
        }
        if let Some(running) = slot(&mut listening, service).take() {
            self.set_state(service, State::Stopped);
            running.stop().await;
            tracing::info!(service = service.name(), "stopped");
        }
        for (address, opening) in held_by_itself {
            let listener = bind(address).map_err(|error| self.not_bound(service, opening, error, &listening))?;
            bound.extend(listener.map(|listener| (listener, opening)));
        }
        let implicit = bound.iter().find(|(_, opening)| *opening == Opening::Tls);
        let implicit_port = implicit.and_then(|(listener, _)| listener.local_addr().ok()).map(|address| address.port());
        let descriptors = self.shared.descriptors.clone();
        let limits = Limits::new(settings.max_connections, settings.max_connection_from_single_ip, descriptors);
        let started = Arc::new(Started { settings, tls: Tls { available: true, implicit_port } });
        let serve: Arc<dyn Serve> =
            Arc::new(ServiceFunction { service, site: self.site.clone(), started: started.clone() });
        let bindings = bound.into_iter().map(|(listener, opening)| Binding { listener, opening, serve: serve.clone() });
        let [pop3, imap] = &self.tls;
        let (protocol, tls) = match service {
            Service::Pop3 => (Protocol::Pop3, pop3),
            Service::Imap4 => (Protocol::Imap, imap),
        };
        let (terms, bindings) = (self.shared.terms(protocol, tls.clone()), bindings.collect());
        if let Some(warning) = started.settings.login_type.warning() {
            tracing::warn!(service = service.name(), login_type = started.settings.login_type.name(), "{warning}");
        }
        let running = Listening::start(bindings, &terms, &Arc::new(limits), &self.shared);
        for (address, opening) in running.addresses() {
            tracing::info!(service = service.name(), %address, tls = *opening == Opening::Tls, "listening");
        }
        *slot(&mut listening, service) = Some(running);
        self.set_state(service, State::Running(started));
        Ok(())
    }

    /// Why a service cannot be had where its settings want it.
    fn not_bound(
        &self,
        service: Service,
        opening: Opening,
        error: BindError,
        listening: &[Option<Listening>; 2],
    ) -> String {
        let (name, group) = (service.name(), service.group());
        let setting = if opening == Opening::Tls { "SSLBindings" } else { "UnencryptedOrTLSBindings" };
        let why = match error {
            BindError::InUse(address) => match self.holder(address, listening) {
                Some(holder) => format!("{address} is used by {holder} of this server"),
                None => error.to_string(),
            },
            error => error.to_string(),
        };
        format!("{why}. To bind {name} elsewhere: Set-{group}Settings -{setting}. Then: Restart-Service {name}")
    }

    fn holder(&self, address: SocketAddr, listening: &[Option<Listening>; 2]) -> Option<&'static str> {
        let has_port = |held: &[SocketAddr]| held.iter().any(|held| held.port() == address.port());
        let services = Service::ALL.into_iter().zip(listening).find(|(_, listening)| {
            has_port(&addresses(listening.as_ref()).into_iter().map(|(address, _)| address).collect::<Vec<_>>())
        });
        services.map(|(service, _)| service.name()).or_else(|| has_port(&self.smtp.addresses()).then_some("SMTP"))
    }

    fn not_begun(&self, service: Service, why: &str) -> String {
        let name = service.name();
        if management::Services::running(self, service).is_some() {
            return format!("{name} was not restarted and goes on as before: {why}");
        }
        let why = format!("{name} was not started: {why}");
        self.set_state(service, State::Failed(why.clone()));
        why
    }

    async fn stop_one(&self, service: Service) {
        let mut listening = self.listening.lock().await;
        let running = slot(&mut listening, service).take();
        self.set_state(service, State::Stopped);
        if let Some(running) = running {
            running.stop().await;
            tracing::info!(service = service.name(), "stopped");
        }
    }
}

impl management::Services for Services {
    fn running(&self, service: Service) -> Option<ServiceSettings> {
        match slot(&mut self.states.lock().unwrap_or_else(PoisonError::into_inner), service) {
            State::Running(started) => Some(started.settings.clone()),
            State::Stopped | State::Failed(_) => None,
        }
    }

    fn failure(&self, service: Service) -> Option<String> {
        match slot(&mut self.states.lock().unwrap_or_else(PoisonError::into_inner), service) {
            State::Failed(why) => Some(why.clone()),
            State::Stopped | State::Running(_) => None,
        }
    }

    fn start(&self, service: Service) -> store::Future<'_, Port<()>> {
        Box::pin(async move { self.begin(service, false).await.map_err(|why| self.not_begun(service, &why)) })
    }

    fn restart(&self, service: Service) -> store::Future<'_, Port<()>> {
        Box::pin(async move { self.begin(service, true).await.map_err(|why| self.not_begun(service, &why)) })
    }

    fn stop(&self, service: Service) -> store::Future<'_, Port<()>> {
        Box::pin(async move {
            self.stop_one(service).await;
            Ok(())
        })
    }
}

fn slot<T>([pop3, imap]: &mut [T; 2], service: Service) -> &mut T {
    match service {
        Service::Pop3 => pop3,
        Service::Imap4 => imap,
    }
}

/// What serves the connections of a started service.
struct ServiceFunction {
    service: Service,
    site: Arc<Site>,
    started: Arc<Started>,
}

impl Serve for ServiceFunction {
    fn serve<'a>(
        &'a self,
        connection: &'a mut Connection<TcpStream>,
    ) -> Pin<Box<dyn Future<Output = End> + Send + 'a>> {
        match self.service {
            Service::Pop3 => Box::pin(pop3::serve(connection, &self.site, &self.started)),
            Service::Imap4 => Box::pin(imap::serve(connection, &self.site, &self.started)),
        }
    }
}
