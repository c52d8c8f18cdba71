//! Sessions: the upgrade, `connection.ack`, pings, polls and closes
//! (§1.2 to §1.4).

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use driftless_gateway::time::Instant;

use super::artifacts::Events;
use super::registry::Session;
use crate::apim::clock::push_java;
use crate::apim::tables::gateways::Environment;
use crate::apim::{ConnectionId, ServerFrame, Upgrade};
use crate::story::aim::GatewayIndex;
use crate::story::step::{Endpoint, Wrong};

/// Time between two runs of the pusher of the earlier builds.
pub(in crate::apim) const PUSHER_INTERVAL: Duration = Duration::from_secs(120);

/// Carries events to the sessions of the gateways, and what the sessions need beside them.
pub(in crate::apim) struct Carrier<'a> {
    /// What every event touches.
    pub(in crate::apim) events: Events<'a>,
}

impl Carrier<'_> {
    /// What an `answer` fault makes of an upgrade.
    pub(in crate::apim) fn refused_upgrade(
        &mut self,
        from: GatewayIndex,
        now: Instant,
    ) -> Option<Upgrade> {
        let faults = &mut self.events.gateways.at_mut(from).faults;
        let (place, wrong) = faults.wrong_for(Endpoint::Connect, now)?;
        let upgrade = match wrong {
            Wrong::Status(status) => Upgrade::Status(status),
            Wrong::RouteMissing => Upgrade::Status(404),
            Wrong::NoAnswer => Upgrade::NoAnswer,
            _ => return None,
        };
        faults.use_up(place);
        self.events.gateways.count_at(from, wrong.delivered_as(), 1);
        Some(upgrade)
    }

    /// The gateway whose token this is, or the close reason for one that is refused (§1.2).
    pub(in crate::apim) fn check_token(
        &mut self,
        from: GatewayIndex,
        token: Option<&str>,
        now: Instant,
    ) -> Result<GatewayIndex, &'static str> {
        let token = token.ok_or("API key is required. Provide 'api-key' header.")?;
        let throws = self.events.gateways.verification_throws(from, now);
        let holder = self.events.gateways.holder(token).filter(|_| !throws);
        holder.ok_or("Invalid or expired API key")
    }

    /// Registers the session, which replaces the one on the same node; acknowledges; replays.
    pub(in crate::apim) fn open(
        &mut self,
        gateway: GatewayIndex,
        connection: ConnectionId,
        now: Instant,
    ) {
        let keeps_events = self.events.contract.keeps_events();
        let sessions = &mut self.events.gateways.at_mut(gateway).sessions;
        let node = sessions.route;
        let is_switched = std::mem::take(&mut sessions.is_switched);
        sessions.connects += 1;
        if keeps_events {
            let (gone, kept) = std::mem::take(&mut sessions.open)
                .into_iter()
                .partition(|session| session.node == node);
            sessions.open = kept;
            let gone: Vec<Session> = gone;
            for session in gone {
                sessions.send(session.connection, ServerFrame::Close(1000, String::new()));
            }
        }
        sessions.open.push(Session {
            connection,
            node,
            next_poll: keeps_events
                .then(|| now.after(self.events.contract.switches.poll_ms.duration())),
            next_ping: now.after(self.events.contract.switches.ping_ms.duration()),
            poll_is_dead: false,
        });
        self.events.gateways.count_at(gateway, "switch_node", u64::from(is_switched));
        let environment = self.events.gateways.at_mut(gateway);
        if environment.faults.event_before_ack
            && let Some(text) = environment.events.newest()
        {
            // A-H7: the session is visible to senders before the ack is written.
            let frame = ServerFrame::Text(Arc::clone(text));
            environment.sessions.send(connection, frame);
            environment.faults.event_before_ack = false;
            self.events.gateways.count_at(gateway, "event_before_ack", 1);
        }
        let ack = self.connection_ack(gateway, now);
        self.events.gateways.at_mut(gateway).sessions.send(connection, ServerFrame::Text(ack));
        self.send_waiting(gateway, connection, now);
    }

    fn connection_ack(&mut self, gateway: GatewayIndex, now: Instant) -> Arc<str> {
        let environment = self.events.gateways.at(gateway);
        let connects = environment.sessions.connects;
        let uuid = environment.key.child("connections").nth(connects).uuid("id");
        let id = Arc::clone(&environment.id);
        let stamp = self.events.event_stamp(now);
        let mut out = String::with_capacity(192);
        let _ = write!(
            out,
            r#"{{"type":"connection.ack","gatewayId":"{}","connectionId":"{uuid}","timestamp":""#,
            id
        );
        push_java(&mut out, stamp);
        out.push_str("\"}");
        Arc::from(out)
    }

    /// Claims what waits, sends it, and marks it delivered; sent means written (A-H5).
    fn send_waiting(&mut self, gateway: GatewayIndex, connection: ConnectionId, now: Instant) {
        let events = &mut self.events.gateways.at_mut(gateway).events;
        if !events.is_waiting() {
            return;
        }
        let (wall, stamp) = (self.events.clock.now(now), self.events.clock.row(now));
        let claimed = events.claim(wall, stamp, self.events.contract.switches.lease_ms.duration());
        self.deliver(gateway, connection, &claimed, now);
    }

    fn deliver(
        &mut self,
        gateway: GatewayIndex,
        connection: ConnectionId,
        places: &[usize],
        now: Instant,
    ) {
        let Environment { events, sessions, .. } = self.events.gateways.at_mut(gateway);
        for text in places.iter().filter_map(|&place| events.text(place)) {
            sessions.send(connection, ServerFrame::Text(Arc::clone(text)));
        }
        events.mark_delivered(places, now);
    }

    /// Runs the polls and pings that are due at exactly `at`.
    pub(in crate::apim) fn tick_sessions(&mut self, at: Instant) {
        self.events.gateways.all().for_each(|gateway| self.tick_sessions_of(gateway, at));
    }

    fn tick_sessions_of(&mut self, gateway: GatewayIndex, at: Instant) {
        for place in 0..self.events.gateways.at(gateway).sessions.open.len() {
            let Environment { sessions, events, .. } = self.events.gateways.at_mut(gateway);
            let Some(session) = sessions.open.get_mut(place) else { return };
            let (connection, is_dead) = (session.connection, session.poll_is_dead);
            let polls = session.next_poll == Some(at);
            if polls {
                session.next_poll =
                    Some(at.after(self.events.contract.switches.poll_ms.duration()));
            }
            if session.next_ping <= at {
                session.next_ping = at.after(self.events.contract.switches.ping_ms.duration());
                sessions.send(connection, ServerFrame::Ping);
            }
            if polls && events.is_waiting() {
                self.poll(gateway, connection, is_dead, at);
            }
        }
    }

    fn poll(
        &mut self,
        gateway: GatewayIndex,
        connection: ConnectionId,
        is_dead: bool,
        now: Instant,
    ) {
        let wall = self.events.clock.now(now);
        let Environment { events, faults, .. } = self.events.gateways.at_mut(gateway);
        if !events.is_claimable(wall, self.events.contract.switches.lease_ms.duration()) {
            return;
        }
        if is_dead {
            self.events.gateways.count_at(gateway, "kill_poll", 1);
        } else if faults.strand_poll {
            // A-H4: claimed, then the session turns out closed; nothing is sent before the lease
            // ends.
            events.claim(
                wall,
                self.events.clock.row(now),
                self.events.contract.switches.lease_ms.duration(),
            );
            faults.strand_poll = false;
            self.events.gateways.count_at(gateway, "strand_poll", 1);
        } else {
            self.send_waiting(gateway, connection, now);
        }
    }

    /// The pusher of the earlier builds: marks everything unclaimed as delivered, whether
    /// anybody got it or not (A-H40).
    pub(in crate::apim) fn push_waiting(&mut self, now: Instant) {
        for gateway in self.events.gateways.all() {
            let Environment { events, sessions, .. } = self.events.gateways.at(gateway);
            let places = events.unclaimed();
            if let Some(connection) = sessions.open.first().map(|session| session.connection) {
                self.deliver(gateway, connection, &places, now);
            }
        }
    }
}
