//! Addresses: where to listen, and where to connect to.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use toml::de::DeValue;

use super::shape::Shape;
use super::value::{Kind, Refusal, Written};
use crate::config::error::ConfigErrorKind;

/// A part of an IPv4 address, as a regular expression: 0 to 255, without zeros before it.
const BYTE: &str = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
/// What IPv6 addresses look like. All of them do; some others do too, whose expression would be a page long.
const IPV6_LIKE: &str = "[0-9A-Fa-f]{0,4}:[0-9A-Fa-f.:]*(%[0-9]+)?";
/// 0 to 65535.
const PORT: &str = "0*(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[0-9]{1,4})";

/// An IP address and a port, as text. Names of hosts are not accepted: nothing here asks a name server.
#[derive(Clone, Copy)]
pub(in crate::config) struct Address {
    example_port: u16,
}

/// An IP address and a port; messages offer `example_port` to somebody who wrote none.
pub(in crate::config) const fn address(example_port: u16) -> Address {
    Address { example_port }
}

impl Kind for Address {
    type Value = SocketAddr;

    fn read(&self, value: &Written<'_>, refusals: &mut Vec<Refusal>) -> Option<SocketAddr> {
        let text = match value.get_ref() {
            DeValue::String(text) => text.as_ref(),
            DeValue::Integer(port) => {
                let port = port.as_str().parse().unwrap_or(self.example_port);
                refusals.push(Refusal::wrong_type(value, "text").suggest(write(self.here(port))));
                return None;
            }
            _ => {
                refusals.push(Refusal::wrong_type(value, "text").suggest(write(self.fallback())));
                return None;
            }
        };
        if let Ok(address) = text.parse() {
            return Some(address);
        }
        let (reason, suggestion) = self.fault(text);
        let reason = reason.to_owned();
        refusals.push(Refusal::new(value, ConfigErrorKind::BadText { reason }).suggest(suggestion));
        None
    }

    fn accepted(&self) -> String {
        "an IP address and a port, \"IPv4:port\" or \"[IPv6]:port\"".to_owned()
    }

    fn shape(&self) -> Shape {
        let pattern = format!(r"({BYTE}(\.{BYTE}){{3}}|\[{IPV6_LIKE}\]):{PORT}");
        Shape::Text { pattern, chars_max: None }
    }

    fn show(&self, value: &SocketAddr) -> String {
        format!("\"{value}\"")
    }

    fn fallback(&self) -> SocketAddr {
        self.here(self.example_port)
    }
}

impl Address {
    fn here(&self, port: u16) -> SocketAddr {
        SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)
    }

    /// What is wrong with `text`, as the end of a sentence that begins with it, and what to do about it. Repeats
    /// nothing of `text` that has not been parsed: it may be long and may hold anything.
    fn fault(&self, text: &str) -> (&'static str, String) {
        let example = write(self.fallback());
        if text.is_empty() {
            return ("is empty", example);
        }
        if let Ok(address) = text.trim().parse() {
            return ("has a space at its beginning or end", write(address));
        }
        if text.contains("://") {
            return ("is a link", format!("{example}, without what stands before the address"));
        }
        match ip(text) {
            Some(IpAddr::V6(_)) if !text.starts_with('[') => {
                let help = format!("write it in brackets, with the port behind them: \"[::1]:{}\"", self.example_port);
                return ("is an IPv6 address without brackets", help);
            }
            Some(ip) => return ("has no port", write(SocketAddr::new(ip, self.example_port))),
            None => {}
        }
        if let Ok(port) = text.parse() {
            return ("has no IP address", write(self.here(port)));
        }
        let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
        if let Some(ip) = ip(host) {
            let address = SocketAddr::new(ip, self.example_port);
            return ("has a port that is not a number from 0 to 65535", write(address));
        }
        let port = port.parse().unwrap_or(self.example_port);
        match host {
            "" => ("has no IP address", write(self.here(port))),
            "*" => ("has no IP address", write(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port))),
            "localhost" => ("has the name of a host for an IP address", write(self.here(port))),
            name if is_host_name(name) => {
                let help = "write the IP address of that host: names are not looked up";
                ("has the name of a host for an IP address", help.to_owned())
            }
            _ => ("is not an IP address and a port", example),
        }
    }
}

/// The IP address that `text` is, with or without brackets.
fn ip(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    match bare {
        Some(bare) => bare.parse().ok().filter(IpAddr::is_ipv6),
        None => text.parse().ok(),
    }
}

fn is_host_name(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
}

fn write(address: SocketAddr) -> String {
    format!("write \"{address}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_slip_is_answered_with_an_address_that_is_accepted() {
        for (text, reason, written) in [
            ("", "is empty", "127.0.0.1:7777"),
            (" 10.0.0.1:5\t", "has a space at its beginning or end", "10.0.0.1:5"),
            ("10.0.0.1", "has no port", "10.0.0.1:7777"),
            ("[fe80::1]", "has no port", "[fe80::1]:7777"),
            ("fe80::1", "is an IPv6 address without brackets", "[::1]:7777"),
            ("::1:7777", "is an IPv6 address without brackets", "[::1]:7777"),
            ("8000", "has no IP address", "127.0.0.1:8000"),
            (":8000", "has no IP address", "127.0.0.1:8000"),
            ("*:8000", "has no IP address", "0.0.0.0:8000"),
            ("localhost", "has the name of a host for an IP address", "127.0.0.1:7777"),
            ("localhost:80", "has the name of a host for an IP address", "127.0.0.1:80"),
            ("http://10.0.0.1:5", "is a link", "127.0.0.1:7777"),
            ("10.0.0.1:", "has a port that is not a number from 0 to 65535", "10.0.0.1:7777"),
            ("10.0.0.1:99999", "has a port that is not a number from 0 to 65535", "10.0.0.1:7777"),
            ("[::2]:http", "has a port that is not a number from 0 to 65535", "[::2]:7777"),
            ("10.0.0.256:5", "is not an IP address and a port", "127.0.0.1:7777"),
            ("[10.0.0.1]:5", "is not an IP address and a port", "127.0.0.1:7777"),
        ] {
            assert!(text.parse::<SocketAddr>().is_err(), "{text:?} is right");
            let (found, suggestion) = address(7777).fault(text);
            assert_eq!(found, reason, "{text:?}");
            let offered = suggestion.split('"').nth(1).expect("the suggestion quotes an address");
            assert_eq!(offered, written, "{text:?}");
            assert!(offered.parse::<SocketAddr>().is_ok(), "{text:?}");
        }
    }

    #[test]
    fn names_of_hosts_are_refused_and_not_looked_up() {
        for text in ["play.example.com:7777", "play.example.com", "my-server:7777"] {
            let (reason, suggestion) = address(7777).fault(text);
            assert_eq!(reason, "has the name of a host for an IP address");
            assert!(suggestion.contains("names are not looked up"));
        }
    }
}
