//! Application protocols: the one list that packet path, settings, metrics and records go by.

macro_rules! apps {
    ($($(#[$note:meta])* $app:ident = $number:literal $name:literal,)+) => {
        /// An application protocol. Its number stands in records and copies of payload, where 0 is for none; its name
        /// in metrics and records.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum App {
            $($(#[$note])* $app = $number,)+
        }

        impl App {
            /// Every protocol, in the order of its number.
            pub const ALL: [Self; [$($number),+].len()] = [$(Self::$app),+];

            /// The name in metrics and records.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$app => $name,)+
                }
            }

            /// The protocol of a number from a record or a copy.
            #[must_use]
            pub const fn from_number(number: u8) -> Option<Self> {
                match number {
                    $($number => Some(Self::$app),)+
                    _ => None,
                }
            }
        }
    };
}

// A new protocol is one more line here.
apps! {
    /// HTTP/1.x in clear text.
    Http = 1 "http",
    /// DNS over UDP or TCP.
    Dns = 2 "dns",
    /// TLS over TCP.
    Tls = 3 "tls",
    /// Redis and what speaks its protocol.
    Redis = 4 "redis",
    /// PostgreSQL and what speaks its protocol.
    Postgresql = 5 "postgresql",
    /// MySQL and MariaDB.
    Mysql = 6 "mysql",
    /// HTTP/2 in clear text, with gRPC.
    Http2 = 7 "http2",
    /// QUIC, as far as its first packets tell.
    Quic = 8 "quic",
    /// Apache Kafka.
    Kafka = 9 "kafka",
    /// MongoDB.
    Mongodb = 10 "mongodb",
    /// memcached.
    Memcached = 11 "memcached",
    /// MQTT.
    Mqtt = 12 "mqtt",
    /// AMQP 0-9-1.
    Amqp = 13 "amqp",
    /// NATS.
    Nats = 14 "nats",
    /// SMTP.
    Smtp = 15 "smtp",
}

/// A set of protocols.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Apps(u64);

impl Apps {
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self::of(&App::ALL);

    /// Protocols that a set has room for. Records and copies have it for 255.
    const ROOM: u32 = u64::BITS;

    /// The set of those in `apps`.
    #[must_use]
    pub const fn of(apps: &[App]) -> Self {
        let (mut set, mut rest) = (Self::NONE, apps);
        while let [app, behind @ ..] = rest {
            set = set.with(*app);
            rest = behind;
        }
        set
    }

    /// This set and `app`.
    #[inline(always)]
    #[must_use]
    pub const fn with(self, app: App) -> Self {
        Self(self.0 | Self::bit(app))
    }

    /// This set but for `app`.
    #[inline(always)]
    #[must_use]
    pub const fn without(self, app: App) -> Self {
        Self(self.0 & !Self::bit(app))
    }

    /// Those that the packet path does not know by their payload: the reader of copies recognises them.
    #[inline(always)]
    #[must_use]
    pub const fn without_known(self) -> Self {
        self.without(App::Http).without(App::Dns).without(App::Tls).without(App::Quic)
    }

    #[inline(always)]
    #[must_use]
    pub const fn contains(self, app: App) -> bool {
        self.0 & Self::bit(app) != 0
    }

    #[inline(always)]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    #[inline(always)]
    const fn bit(app: App) -> u64 {
        1 << (app as u8 - 1)
    }
}

const _: () = {
    let mut rest = App::ALL.as_slice();
    while let [app, behind @ ..] = rest {
        assert!(*app as u32 >= 1 && *app as u32 <= Apps::ROOM);
        rest = behind;
    }
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_each_of_one_protocol() {
        for (index, app) in App::ALL.into_iter().enumerate() {
            assert_eq!(App::from_number(app as u8), Some(app));
            assert!(App::ALL.iter().skip(index + 1).all(|other| other.name() != app.name()));
        }
        assert!(App::ALL.is_sorted_by_key(|app| *app as u8));
        assert_eq!(App::from_number(0), None);
        assert_eq!(App::from_number(u8::MAX), None);
    }

    #[test]
    fn a_set_has_what_it_was_given() {
        for app in App::ALL {
            let alone = Apps::of(&[app]);
            assert!(App::ALL.iter().all(|other| alone.contains(*other) == (*other == app)));
            assert!(Apps::ALL.contains(app) && !Apps::ALL.without(app).contains(app));
            assert!(!Apps::NONE.contains(app) && alone.without(app).is_empty());
        }
    }
}
