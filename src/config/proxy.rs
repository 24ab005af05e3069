//! The proxies that may say for whom they ask: `--trusted-proxy`.

use std::net::IpAddr;

use anyhow::{Result, ensure};

/// What is typed for the clients of Unix sockets.
const UNIX: &str = "unix";

/// Networks whose headers are believed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TrustedProxies {
    networks: Vec<(IpAddr, u8)>,
    has_unix: bool,
}

impl TrustedProxies {
    /// # Errors
    /// The first value that is neither a network nor an address, and what would be right.
    pub(super) fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let mut all = Self::default();
        for text in texts {
            if text == UNIX {
                all.has_unix = true;
                continue;
            }
            let network = network(text);
            ensure!(
                network.is_some(),
                "--trusted-proxy {text}: use an address or a network, such as 127.0.0.1, \
                 10.0.0.0/8 or fd00::/8, or {UNIX} for the clients of Unix sockets"
            );
            all.networks.extend(network);
        }
        Ok(all)
    }

    /// Whether a proxy of this address is believed; `None` is a client of a Unix socket.
    pub(crate) fn trusts(&self, address: Option<IpAddr>) -> bool {
        let Some(address) = address else { return self.has_unix };
        let address = address.to_canonical();
        self.networks.iter().any(|(network, n_bits)| {
            let n_other_bits = width(*network) - u32::from(*n_bits);
            let is_same_family = network.is_ipv4() == address.is_ipv4();
            let difference = bits(*network) ^ bits(address);
            is_same_family && difference.checked_shr(n_other_bits).unwrap_or(0) == 0
        })
    }
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let width = u8::try_from(width(address)).ok()?;
    let n_bits = length.map_or(Some(width), |length| length.parse().ok())?;
    (n_bits <= width).then_some((address, n_bits))
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { u32::BITS } else { u128::BITS }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u32::from(v4).into(),
        IpAddr::V6(v6) => v6.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusts(networks: &[&str], address: &str) -> bool {
        TrustedProxies::new(networks.iter().copied()).unwrap().trusts(address.parse().ok())
    }

    #[test]
    fn network_holds_its_addresses_and_no_others() {
        for (network, inside, outside) in [
            ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("192.168.4.7/22", "192.168.7.1", "192.168.8.1"),
            ("fd00::/8", "fdff::1", "fe80::1"),
            ("::1", "::1", "::2"),
            ("0.0.0.0/0", "203.0.113.7", "2001:db8::1"),
            ("::/0", "2001:db8::1", "203.0.113.7"),
            // As sockets of both families name a client of IPv4.
            ("10.0.0.0/8", "::ffff:10.0.0.1", "::ffff:11.0.0.1"),
        ] {
            assert!(trusts(&[network], inside), "{network} {inside}");
            assert!(!trusts(&[network], outside), "{network} {outside}");
            assert!(trusts(&["203.0.113.99", network], inside));
        }
        assert!(!trusts(&[], "127.0.0.1") && !trusts(&["0.0.0.0/0"], "unix"));
        assert!(trusts(&["unix"], "unix") && !trusts(&["unix"], "127.0.0.1"));
    }

    #[test]
    fn error_says_what_would_be_right() {
        for wrong in
            ["", "proxy.local", "10.0.0.0/33", "10.0.0.0/", "fd00::/129", "10/8", "1.2.3.4/-1"]
        {
            let error = TrustedProxies::new([wrong]).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("--trusted-proxy {wrong}: use an address")),
                "{error}"
            );
        }
    }
}
