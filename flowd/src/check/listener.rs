//! The web server's address.

use std::{io, net::TcpListener};

use super::requirement::Check;
use crate::config::Config;

pub(super) fn check(config: &Config) -> Vec<Check> {
    let address = config.listen;
    let name = format!("listen {address}");
    let mut checks = vec![match TcpListener::bind(address) {
        Ok(_) => Check::ok(&*name, "free"),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let remedy =
                "fine if this flowd runs already; else stop what is there, or choose another with --listen";
            Check::warning(&*name, "in use", remedy)
        }
        Err(error) => Check::missing(&*name, error.to_string(), "choose another address with --listen"),
    }];
    if !address.ip().is_loopback() {
        checks.push(if !config.web.asks() {
            let remedy = "set web.users or web.tokens, or listen on 127.0.0.1";
            Check::warning(
                "web access",
                format!("anyone who reaches {address} may read flows and requests"),
                remedy,
            )
        } else if !config.web.tls() {
            let remedy = "set web.tls_certificate and web.tls_key";
            Check::warning("web access", "passwords and tokens cross the network in clear text", remedy)
        } else {
            Check::ok("web access", "by password or token, over TLS")
        });
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Status;

    #[test]
    fn addresses_in_use_or_open_to_all() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let config = Config { listen: taken.local_addr().unwrap(), ..Config::default() };
        assert_eq!(check(&config).first().unwrap().status, Status::Warning);
        let mut config = Config { listen: "0.0.0.0:0".parse().unwrap(), ..Config::default() };
        let access = |config: &Config| check(config).pop().unwrap();
        assert!(access(&config).remedy.unwrap().contains("web.tokens"));
        config.web.tokens = "t".to_owned();
        assert!(access(&config).remedy.unwrap().contains("tls"));
        (config.web.tls_certificate, config.web.tls_key) = ("c".to_owned(), "k".to_owned());
        assert_eq!(access(&config).status, Status::Ok);
        config.listen = "192.0.2.1:9435".parse().unwrap();
        assert_eq!(check(&config).first().unwrap().status, Status::Missing);
    }
}
