//! Every deadline of the engine by name. What is polled and what is served read the same table,
//! [`Engine::due_at`](super::Engine), so a deadline that is polled and never served cannot be
//! written.

use std::fmt;

/// What the engine may wait for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Timer {
    /// The attempt to connect is given up.
    Dial,
    /// The control plane has not acknowledged the connection.
    ConnectionAck,
    /// Nothing arrived on the session for too long.
    Lease,
    /// The next attempt to connect.
    Reconnect,
    /// A request is not answered in time.
    Request,
    /// A withdrawal waits no longer.
    Withdrawal,
    /// A write that failed is repeated.
    Write,
    /// A list is to be read.
    List,
    /// A definition is to be read.
    Fetch,
    /// It is to be asked whether artifacts exist.
    ExistenceCheck,
}

impl Timer {
    /// Every timer.
    pub const ALL: [Self; 10] = [
        Self::Dial,
        Self::ConnectionAck,
        Self::Lease,
        Self::Reconnect,
        Self::Request,
        Self::Withdrawal,
        Self::Write,
        Self::List,
        Self::Fetch,
        Self::ExistenceCheck,
    ];

    /// What the timer is for, in words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dial => "dial timeout",
            Self::ConnectionAck => "connection.ack timeout",
            Self::Lease => "lease",
            Self::Reconnect => "reconnect",
            Self::Request => "request timeout",
            Self::Withdrawal => "withdrawal",
            Self::Write => "write retry",
            Self::List => "list",
            Self::Fetch => "fetch",
            Self::ExistenceCheck => "existence check",
        }
    }
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
