//! SMTP: receive connectors, listening as long as the server runs.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use identity::{ExtendedProtection, Tls};
use management::settings::ServerSettings;
use tokio::net::{TcpListener, TcpStream};
use transport::{BindingTls, ReceiveConnector};

use crate::connection::{Connection, End, Opening, Protocol};
use crate::listen::{Binding, Limits, Listening, Serve, Shared, bind};
use crate::serve::Site;
use crate::serve::smtp::{Receiving, serve};
use crate::setup::{Ports, SetupError};

/// The connectors at work.
pub struct Smtp {
    listening: Listening,
    ports: Ports,
}

impl Smtp {
    /// Binds what any connector is bound to, each address once.
    pub fn start(
        mut connectors: Vec<ReceiveConnector>,
        site: &Arc<Site>,
        tls: crate::tls::Tls,
        shared: &Shared,
        settings: &ServerSettings,
        extended_protection: ExtendedProtection,
    ) -> Result<Self, SetupError> {
        let bound = bind_all(&mut connectors)?;
        let ports = ports(&connectors);
        let receiving = Receiving {
            connectors: connectors.into_iter().map(Arc::new).collect(),
            tls: Tls { available: true, implicit_port: ports.submissions },
            max_connections_per_user: settings.max_smtp_connections_per_user,
            extended_protection,
        };
        let serve: Arc<dyn Serve> = Arc::new(Receive { site: site.clone(), receiving });
        let bindings = bound.into_iter().map(|(listener, opening)| Binding { listener, opening, serve: serve.clone() });
        let terms = shared.terms(Protocol::Smtp, tls);
        let limits = Limits::new(
            settings.max_smtp_connections,
            settings.max_smtp_connection_from_single_ip,
            shared.descriptors.clone(),
        );
        let listening = Listening::start(bindings.collect(), &terms, limits, shared);
        for (address, opening) in listening.addresses() {
            tracing::info!(service = "SMTP", %address, tls = *opening == Opening::Tls, "listening");
        }
        Ok(Self { listening, ports })
    }

    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listening.addresses().iter().map(|(address, _)| *address).collect()
    }

    pub fn ports(&self) -> Ports {
        self.ports
    }

    pub async fn stop(self) {
        self.listening.stop().await;
    }
}

/// Binds, and writes the ports that the kernel gave into the connectors, which are chosen by them.
fn bind_all(connectors: &mut [ReceiveConnector]) -> Result<Vec<(TcpListener, Opening)>, SetupError> {
    let mut bound = Vec::new();
    let mut known: BTreeMap<SocketAddr, Opening> = BTreeMap::new();
    for connector in connectors {
        for binding in &mut connector.bindings {
            let opening = match binding.tls {
                BindingTls::Implicit => Opening::Tls,
                BindingTls::Explicit { implicit_tls_probe } => Opening::Greeting { probe: implicit_tls_probe },
            };
            let address = SocketAddr::new(binding.address, binding.port);
            if binding.port != 0
                && let Some(other) = known.get(&address)
            {
                if *other != opening {
                    let why = format!("two receive connectors want TLS in different ways on {address}");
                    return Err(SetupError::Refused(why));
                }
                continue;
            }
            let Some(listener) = bind(address)? else { continue };
            binding.port = listener.local_addr().map_or(binding.port, |address| address.port());
            known.insert(SocketAddr::new(binding.address, binding.port), opening);
            bound.push((listener, opening));
        }
    }
    Ok(bound)
}

/// For people: the first port of each kind.
fn ports(connectors: &[ReceiveConnector]) -> Ports {
    let port = |name: &str, implicit: bool| {
        let connector = connectors.iter().find(|connector| connector.name == name)?;
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
    receiving: Receiving,
}

impl Serve for Receive {
    fn serve<'a>(
        &'a self,
        connection: &'a mut Connection<TcpStream>,
    ) -> Pin<Box<dyn Future<Output = End> + Send + 'a>> {
        Box::pin(serve(connection, &self.site, &self.receiving))
    }
}
