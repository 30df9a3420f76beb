//! SMTP: receive connectors, listening as long as the server runs. They change while it does: from the next
//! connection on.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};

use identity::{ExtendedProtection, Tls};
use management::settings::ServerSettings;
use management::{Connectors, Port};
use store::{Settings, SettingsMap};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use transport::{BindingTls, PermissionGroup, ReceiveConnector};

use crate::connection::{Connection, End, Opening, Protocol, Terms};
use crate::connectors;
use crate::listen::{BindError, Binding, Limits, Listening, Serve, Shared, bind};
use crate::serve::Site;
use crate::serve::smtp::{Receiving, serve};
use crate::setup::{Ports, SetupError};

/// The connectors at work.
pub struct Smtp {
    site: Arc<Site>,
    settings: Arc<dyn Settings>,
    terms: Arc<Terms>,
    /// Where clients are asked for a certificate, if they are.
    terms_with_certificates: Option<Arc<Terms>>,
    shared: Shared,
    limits: Arc<Limits>,
    max_connections_per_user: u32,
    extended_protection: ExtendedProtection,
    current: Arc<Current>,
    /// One change at a time.
    open: Mutex<Open>,
}

/// What the next connection is served by.
struct Current(RwLock<Arc<Receiving>>);

impl Current {
    fn get(&self) -> Arc<Receiving> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, receiving: Receiving) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(receiving);
    }
}

/// Where the connectors listen.
#[derive(Default)]
struct Open {
    listening: BTreeMap<SocketAddr, (Way, Listening)>,
    /// Ports that the kernel gave, by connector and place among its bindings.
    given: BTreeMap<(String, usize), u16>,
    /// Listeners that are not wanted any more, whose sessions take leave.
    ending: JoinSet<()>,
}

impl Smtp {
    /// Binds what any connector is bound to, each address once.
    pub async fn start(
        stored: &SettingsMap,
        settings: Arc<dyn Settings>,
        site: &Arc<Site>,
        (tls, tls_with_certificates): (crate::tls::Tls, Option<crate::tls::Tls>),
        shared: &Shared,
        server: &ServerSettings,
        extended_protection: ExtendedProtection,
    ) -> Result<Self, SetupError> {
        let limits = Limits::new(
            server.max_smtp_connections,
            server.max_smtp_connection_from_single_ip,
            shared.descriptors.clone(),
        );
        let nothing = Receiving {
            connectors: Vec::new(),
            tls: Tls { available: true, implicit_port: None },
            max_connections_per_user: server.max_smtp_connections_per_user,
            extended_protection,
        };
        let smtp = Self {
            site: site.clone(),
            settings,
            terms: shared.terms(Protocol::Smtp, tls),
            terms_with_certificates: tls_with_certificates.map(|tls| shared.terms(Protocol::Smtp, tls)),
            shared: shared.clone(),
            limits: Arc::new(limits),
            max_connections_per_user: server.max_smtp_connections_per_user,
            extended_protection,
            current: Arc::new(Current(RwLock::new(Arc::new(nothing)))),
            open: Mutex::default(),
        };
        smtp.apply(&mut *smtp.open.lock().await, connectors::load(stored)?).await?;
        Ok(smtp)
    }

    pub fn addresses(&self) -> Vec<SocketAddr> {
        let receiving = self.current.get();
        let bindings = receiving.connectors.iter().filter(|connector| connector.enabled).flat_map(|c| &c.bindings);
        bindings.map(|binding| SocketAddr::new(binding.address, binding.port)).collect()
    }

    pub fn ports(&self) -> Ports {
        ports(&self.current.get().connectors)
    }

    pub async fn stop(&self) {
        let Open { listening, mut ending, .. } = std::mem::take(&mut *self.open.lock().await);
        for (_, listening) in listening.into_values() {
            ending.spawn(listening.stop());
        }
        while ending.join_next().await.is_some() {}
    }

    /// Listens where these connectors are bound and nowhere else; if that cannot be, all stays as it was.
    async fn apply(&self, open: &mut Open, mut connectors: Vec<ReceiveConnector>) -> Result<(), SetupError> {
        remember_given_ports(&mut connectors, open);
        let (mut bound, mut held_by_itself) = (Vec::new(), Vec::new());
        for (address, way) in self.places(&connectors) {
            if open.listening.get(&address).is_some_and(|(is, _)| *is == way) {
                continue;
            }
            match bind(address) {
                Ok(listener) => bound.extend(listener.map(|listener| (address, way, listener))),
                Err(BindError::InUse(_)) if open.listening.keys().any(|own| own.port() == address.port()) => {
                    held_by_itself.push((address, way));
                }
                Err(error) => return Err(error.into()),
            }
        }
        let given = write_ports(&mut connectors, &bound);
        let wanted = self.places(&connectors);
        let is_wanted =
            |address: &SocketAddr, way: Way| wanted.iter().any(|(wanted, other)| wanted == address && *other == way);
        let (kept, ended) =
            std::mem::take(&mut open.listening).into_iter().partition(|(address, (way, _))| is_wanted(address, *way));
        open.listening = kept;
        open.given = given.into_iter().chain(std::mem::take(&mut open.given)).collect();
        self.current.set(self.receiving(connectors));
        let ended: BTreeMap<SocketAddr, (Way, Listening)> = ended;
        // Those that have ended since.
        while open.ending.try_join_next().is_some() {}
        for (address, (_, listening)) in ended {
            tracing::info!(service = "SMTP", %address, "listening no more");
            open.ending.spawn(listening.stop());
        }
        if !held_by_itself.is_empty() {
            while open.ending.join_next().await.is_some() {}
        }
        for (address, way) in held_by_itself {
            bound.extend(bind(address)?.map(|listener| (address, way, listener)));
        }
        for (asked, way, listener) in bound {
            let port = listener.local_addr().map_or(asked.port(), |address| address.port());
            let address = SocketAddr::new(asked.ip(), port);
            // Only now it is known which connectors share the port.
            let way = wanted.iter().find(|(wanted, _)| *wanted == address).map_or(way, |(_, way)| *way);
            let serve: Arc<dyn Serve> = Arc::new(Receive { site: self.site.clone(), current: self.current.clone() });
            let binding = vec![Binding { listener, opening: way.opening, serve }];
            let terms =
                self.terms_with_certificates.as_ref().filter(|_| way.asks_for_certificates).unwrap_or(&self.terms);
            let listening = Listening::start(binding, terms, &self.limits, &self.shared);
            tracing::info!(service = "SMTP", %address, tls = way.opening == Opening::Tls, "listening");
            open.listening.insert(address, (way, listening));
        }
        Ok(())
    }

    fn receiving(&self, connectors: Vec<ReceiveConnector>) -> Receiving {
        for risk in connectors.iter().filter(|connector| connector.enabled).flat_map(ReceiveConnector::risks) {
            tracing::warn!(service = "SMTP", "{risk}");
        }
        let connectors: Vec<_> = connectors.into_iter().map(Arc::new).collect();
        Receiving {
            tls: Tls { available: true, implicit_port: ports(&connectors).submissions },
            connectors,
            max_connections_per_user: self.max_connections_per_user,
            extended_protection: self.extended_protection,
        }
    }

    /// Makes a change of what is stored, once the connectors are at work with it.
    async fn change(
        &self,
        change: impl FnOnce(&SettingsMap) -> Result<(String, Option<serde_json::Value>), SetupError>,
    ) -> Result<(), SetupError> {
        let mut open = self.open.lock().await;
        let before = self.settings.snapshot().await?;
        let (name, value) = change(&before)?;
        let mut after = (*before).clone();
        match &value {
            Some(value) => after.insert(name.clone(), value.clone()),
            None => after.remove(&name),
        };
        self.apply(&mut open, connectors::load(&after)?).await?;
        if let Err(error) = self.settings.change(vec![(name, value)]).await {
            self.apply(&mut open, connectors::load(&before)?).await?;
            return Err(error.into());
        }
        Ok(())
    }
}

impl Connectors for Smtp {
    fn all(&self) -> Vec<ReceiveConnector> {
        self.current.get().connectors.iter().map(|connector| (**connector).clone()).collect()
    }

    fn put(&self, connector: ReceiveConnector) -> store::Future<'_, Port<()>> {
        Box::pin(async move {
            let changed = self.change(|stored| connectors::change(&connector, stored)).await;
            changed.map_err(|error| error.to_string())
        })
    }

    fn remove<'a>(&'a self, name: &'a str) -> store::Future<'a, Port<()>> {
        Box::pin(async move { self.change(|_| Ok(connectors::removal(name))).await.map_err(|error| error.to_string()) })
    }
}

/// How a listener begins with its clients.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Way {
    opening: Opening,
    asks_for_certificates: bool,
}

impl Smtp {
    /// Where to listen, and how. Who brings mail without log-on is not asked for a certificate, anywhere on its port:
    /// mail servers show their own when they are asked, which no authority of ours has to know.
    fn places(&self, connectors: &[ReceiveConnector]) -> Vec<(SocketAddr, Way)> {
        let strangers = |port: u16| {
            let admits =
                |c: &&ReceiveConnector| c.enabled && c.permission_groups.contains(&PermissionGroup::AnonymousUsers);
            connectors.iter().filter(admits).flat_map(|c| &c.bindings).any(|binding| binding.port == port)
        };
        let asks = |port| self.terms_with_certificates.is_some() && !strangers(port);
        let way = |port, opening| Way { opening, asks_for_certificates: asks(port) };
        places(connectors).into_iter().map(|(address, opening)| (address, way(address.port(), opening))).collect()
    }
}

/// Where to listen, each address once. A binding of one address needs no socket of its own where that of all addresses
/// is there: what it takes is told apart by the address that the client reached.
fn places(connectors: &[ReceiveConnector]) -> Vec<(SocketAddr, Opening)> {
    let mut places: Vec<(SocketAddr, Opening)> = Vec::new();
    for binding in connectors.iter().filter(|connector| connector.enabled).flat_map(|connector| &connector.bindings) {
        let address = SocketAddr::new(binding.address, binding.port);
        if binding.port == 0 || places.iter().all(|(known, _)| *known != address) {
            places.push((address, opening(binding.tls)));
        }
    }
    let all_of = |address: IpAddr| -> IpAddr {
        if address.is_ipv4() { std::net::Ipv4Addr::UNSPECIFIED.into() } else { std::net::Ipv6Addr::UNSPECIFIED.into() }
    };
    let covers = |address: &SocketAddr| SocketAddr::new(all_of(address.ip()), address.port());
    let everywhere: Vec<SocketAddr> =
        places.iter().map(|(address, _)| *address).filter(|address| address.ip().is_unspecified()).collect();
    places.retain(|(address, _)| {
        address.port() == 0 || address.ip().is_unspecified() || !everywhere.contains(&covers(address))
    });
    places
}

fn opening(tls: BindingTls) -> Opening {
    match tls {
        BindingTls::Implicit => Opening::Tls,
        BindingTls::Explicit { implicit_tls_probe } => Opening::Greeting { probe: implicit_tls_probe },
    }
}

/// A port that the kernel gave before is that of the binding from then on.
fn remember_given_ports(connectors: &mut [ReceiveConnector], open: &Open) {
    for connector in connectors {
        for (at, binding) in connector.bindings.iter_mut().enumerate().filter(|(_, binding)| binding.port == 0) {
            binding.port = open.given.get(&(connector.name.clone(), at)).copied().unwrap_or(0);
        }
    }
}

/// Writes the ports that the kernel gave into the connectors, which are chosen by them.
fn write_ports(
    connectors: &mut [ReceiveConnector],
    bound: &[(SocketAddr, Way, TcpListener)],
) -> BTreeMap<(String, usize), u16> {
    let mut fresh = bound.iter().filter(|(asked, ..)| asked.port() == 0);
    let mut given = BTreeMap::new();
    for connector in connectors.iter_mut().filter(|connector| connector.enabled) {
        for (at, binding) in connector.bindings.iter_mut().enumerate().filter(|(_, binding)| binding.port == 0) {
            // In the order in which they were asked for.
            if let Some(address) = fresh.next().and_then(|(_, _, listener)| listener.local_addr().ok()) {
                binding.port = address.port();
                given.insert((connector.name.clone(), at), address.port());
            }
        }
    }
    given
}

/// For people: the first port of each kind.
fn ports<C: AsRef<ReceiveConnector>>(connectors: &[C]) -> Ports {
    let port = |name: &str, implicit: bool| {
        let mut connectors = connectors.iter().map(AsRef::as_ref);
        let connector = connectors.find(|connector| connector.name == name && connector.enabled)?;
        let fits = |tls: BindingTls| (tls == BindingTls::Implicit) == implicit;
        connector.bindings.iter().find(|binding| fits(binding.tls)).map(|binding| binding.port)
    };
    Ports {
        smtp: port("Default", false),
        submission: port("Client", false),
        submissions: port("Client", true),
        ..Ports::default()
    }
}

/// What serves every SMTP connection: the connector is chosen by its two ends.
struct Receive {
    site: Arc<Site>,
    current: Arc<Current>,
}

impl Serve for Receive {
    fn serve<'a>(
        &'a self,
        connection: &'a mut Connection<TcpStream>,
    ) -> Pin<Box<dyn Future<Output = End> + Send + 'a>> {
        let receiving = self.current.get();
        Box::pin(async move { serve(connection, &self.site, &receiving).await })
    }
}
