//! The simulated API Manager on real sockets, for any gateway to be pointed at.
//!
//! [`ServedApim`] owns the sans-IO model and its time; [`serve_connection`] speaks HTTP and WebSocket on
//! any stream; [`admin`] lets people and tests do what a story could do, in the same words. What
//! a gateway sees is TLS with a certificate made at the start, or a given one.

mod adaptor;
pub mod admin;
mod certificate;
mod served_apim;
mod story;
mod triggers;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use driftless_gateway::shell::tls;
use driftless_gateway::time::{Instant, Timestamp};
use tokio::net::TcpListener;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

pub use adaptor::{ApimBackend, serve_connection};
pub use served_apim::{ServedApim, VerbOutcome};

use crate::apim::{ApiManager, wall_clock};
use crate::story::aim::GatewayIndex;
use crate::story::file::Scenario;
use crate::story::step::{StepClock, Verb};

/// How long a TLS handshake may take.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);

/// How long to wait after a connection could not be accepted, which lasts when files run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How a simulated API Manager is served.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where gateways connect.
    pub listen: SocketAddr,
    /// Where the admin API and the page are.
    pub admin: SocketAddr,
    /// How the connection is protected.
    pub protection: Protection,
    /// Where the token and, unless given, the certificate are written.
    pub folder: PathBuf,
    /// What is served: dialect, seed and switches, and the steps that happen by themselves.
    pub story: Scenario,
}

/// How the connection of gateways is protected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Protection {
    /// TLS with a certificate made here, for these hosts too.
    Made(Vec<String>),
    /// TLS with this certificate and key.
    Given {
        /// The chain, in PEM form.
        certificate: PathBuf,
        /// The key, in PEM form.
        key: PathBuf,
    },
    /// None.
    Plain,
}

/// What is being served, for whoever is to be told.
#[derive(Clone, Debug)]
pub struct ServedAddresses {
    /// Where gateways connect.
    pub url: String,
    /// Where the admin API and the page are.
    pub admin: String,
    /// What a gateway has to trust, where that was made here.
    pub authority: Option<PathBuf>,
    /// The file that holds the token.
    pub token_file: PathBuf,
}

/// Serves until the process is interrupted or something fails. `told` is called once everything
/// listens.
///
/// # Errors
/// What kept it from serving, for people.
pub fn serve(options: Options, told: impl FnOnce(&ServedAddresses)) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    runtime.block_on(LocalSet::new().run_until(live(options, told)))
}

async fn live(options: Options, told: impl FnOnce(&ServedAddresses)) -> Result<(), String> {
    let Options { listen, admin, protection, folder, story } = options;
    let bind = async |address: SocketAddr| {
        let bound = TcpListener::bind(address).await;
        bound.map_err(|error| format!("cannot listen on {address}: {error}"))
    };
    let (acceptor, authority) = protect(&protection, &folder)?;
    let host = Rc::new(ServedApim::new(manager_of(&story)));
    story::begin(&host, &story);
    let token_file = folder.join("token");
    let token = host.look(|manager| manager.token(GatewayIndex::FIRST).to_owned());
    certificate::write_private(&token_file, token.as_bytes())
        .map_err(|error| format!("{}: {error}", token_file.display()))?;
    let (gateways, people) = (bind(listen).await?, bind(admin).await?);
    let local = |listener: &TcpListener| listener.local_addr().map_err(|error| error.to_string());
    let scheme = if acceptor.is_some() { "https" } else { "http" };
    told(&ServedAddresses {
        url: format!("{scheme}://{}", local(&gateways)?),
        admin: format!("http://{}", local(&people)?),
        authority,
        token_file,
    });
    let timer = Rc::clone(&host);
    spawn_local(async move { timer.keep_time().await });
    story::play(&host, story);
    spawn_local(admin::serve(people, Rc::clone(&host)));
    tokio::select! {
        biased;
        heard = interrupted() => heard.map_err(|error| format!("no signals: {error}")),
        () = accept(gateways, acceptor, host) => Ok(()),
    }
}

#[cfg(unix)]
async fn interrupted() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        biased;
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn interrupted() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}

/// An API Manager whose clock shows the time of day: keys expire and stamps compare as they
/// would.
fn manager_of(story: &Scenario) -> ApiManager {
    let mut manager = ApiManager::new(story.dialect, story.switches, story.seed);
    let ahead = time_of_day().unix_nanos() - wall_clock(Instant::START).unix_nanos();
    let by_ms = i64::try_from(ahead / 1_000_000).unwrap_or_default();
    manager.apply(&Verb::StepClock(StepClock { by_ms }), Instant::START);
    manager
}

#[expect(clippy::disallowed_methods, reason = "a served API Manager lives in real time")]
fn time_of_day() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_nanos(i128::try_from(since.as_nanos()).unwrap_or_default(), 9)
}

fn protect(
    protection: &Protection,
    folder: &std::path::Path,
) -> Result<(Option<TlsAcceptor>, Option<PathBuf>), String> {
    let named = |error: io::Error| format!("{}: {error}", folder.display());
    std::fs::create_dir_all(folder).map_err(named)?;
    let (certificate, key, authority) = match protection {
        Protection::Plain => return Ok((None, None)),
        Protection::Given { certificate, key } => (certificate.clone(), key.clone(), None),
        Protection::Made(hosts) => {
            let made = certificate::make(folder, hosts).map_err(named)?;
            (made.certificate, made.key, Some(made.authority))
        }
    };
    let config = tls::server_config(&certificate, &key)?;
    Ok((Some(TlsAcceptor::from(Arc::clone(&config))), authority))
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, host: Rc<ServedApim>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // A socket that cannot be told to send at once still sends.
        let _slower = stream.set_nodelay(true);
        let (host, acceptor) = (Rc::clone(&host), acceptor.clone());
        spawn_local(async move {
            match acceptor {
                None => serve_connection(stream, host).await,
                Some(acceptor) => {
                    if let Ok(Ok(stream)) =
                        timeout(HANDSHAKE_PATIENCE, acceptor.accept(stream)).await
                    {
                        serve_connection(stream, host).await;
                    }
                }
            }
        });
    }
}
