//! Which certificates of a server are accepted, as a plain value: `config` reads
//! it from the options, `fetch` applies it.

/// Which certificates of a server at an https address are accepted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Trust {
    /// A certificate that a public authority signed for the name in the address.
    #[default]
    Public,
    /// One of these certificates (as DER), or one that they signed.
    Certificates(Vec<Vec<u8>>),
    /// The certificate whose DER has this SHA-256.
    Fingerprint([u8; 32]),
    /// Any certificate.
    Anything,
}
