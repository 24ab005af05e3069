//! TLS above a connection, for cameras at https addresses and brokers at mqtts addresses.
//!
//! ureq's own connector cannot accept a certificate by its fingerprint. It also
//! refuses a certificate that a camera signed itself, even where it is given as
//! an authority, because rustls accepts no authority as a server.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore,
    SignatureScheme, StreamOwned,
};
use sha2::{Digest, Sha256};
use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
    TransportAdapter,
};

use super::digest::hex;
use super::resolve::host;
use crate::trust::Trust;

/// Wraps connections to https addresses.
pub(super) struct Tls {
    trust: Trust,
    /// Made for the first https address. Most cameras have none, and the certificates of
    /// the public authorities cost memory. An http address may still redirect to one.
    config: OnceLock<Arc<ClientConfig>>,
}

impl Tls {
    pub(super) fn new(trust: &Trust) -> Self {
        Self { trust: trust.clone(), config: OnceLock::new() }
    }

    fn config(&self) -> Arc<ClientConfig> {
        let provider = Arc::new(ring::default_provider());
        let verifier = Verifier::new(&self.trust, &provider);
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has all that both versions need");
        let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
        Arc::new(builder.with_no_client_auth())
    }

    /// Encrypts a connection to `host`.
    ///
    /// # Errors
    /// The handshake failed: it is done here and not with the first write, so that a
    /// refused certificate ends the call before a login is sent.
    pub(super) fn wrap<T: Read + Write>(
        &self,
        host: &str,
        mut below: T,
    ) -> io::Result<StreamOwned<ClientConnection, T>> {
        let invalid = |e: rustls::Error| io::Error::new(io::ErrorKind::InvalidData, e);
        let name = ServerName::try_from(host.to_owned()).map_err(|_| {
            io::Error::new(io::ErrorKind::InvalidData, "the host has no valid name")
        })?;
        let config = self.config.get_or_init(|| self.config());
        let mut connection = ClientConnection::new(Arc::clone(config), name).map_err(invalid)?;
        connection.complete_io(&mut below)?;
        Ok(StreamOwned::new(connection, below))
    }
}

impl<In: Transport> Connector<In> for Tls {
    type Out = Either<In, Connection<In>>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(transport) = chained else { return Ok(None) };
        // The same connector serves both kinds of address, since a redirect may lead from
        // one to the other.
        if !details.needs_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let below = TransportAdapter::new(transport, Arc::clone(&details.current_time));
        let stream = self.wrap(host(details.uri).unwrap_or_default(), below)?;
        let config = details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Some(Either::B(Connection { buffers, stream })))
    }
}

/// An encrypted connection, with the buffers that ureq works in.
pub(super) struct Connection<T: Transport> {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter<T>>,
}

impl<T: Transport> Transport for Connection<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), Error> {
        Ok(self.stream.write_all(&self.buffers.output()[..amount])?)
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
        let n = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(n);
        Ok(n > 0)
    }

    fn is_open(&mut self) -> bool {
        // A byte below TLS that no answer belongs to is most often the close alert.
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

/// Decides which certificates are accepted.
#[derive(Debug)]
struct Verifier {
    trust: Trust,
    /// `None`: no authority is known.
    authorities: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn new(trust: &Trust, provider: &Arc<CryptoProvider>) -> Self {
        let mut roots = RootCertStore::empty();
        match trust {
            Trust::Public => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Trust::Certificates(found) => {
                // What cannot be an authority can still be the camera's certificate.
                roots.add_parsable_certificates(found.iter().map(|der| der.as_slice().into()));
            }
            Trust::Fingerprint(_) | Trust::Anything => {}
        }
        let builder =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        let authorities = builder.build().ok();
        Self { trust: trust.clone(), authorities, provider: Arc::clone(provider) }
    }

    /// Checks that the server holds the key of its certificate. Without this check a
    /// certificate that is only copied would do, so only `Anything` leaves it out: some
    /// cameras sign with algorithms that ring does not know.
    fn verify_signature(
        &self,
        verify: impl FnOnce(
            &WebPkiSupportedAlgorithms,
        ) -> Result<HandshakeSignatureValid, rustls::Error>,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if self.trust == Trust::Anything {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify(&self.provider.signature_verification_algorithms)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        // Of the whole certificate, as browsers and openssl show it.
        let fingerprint: [u8; 32] = Sha256::digest(end_entity).into();
        let is_named = match &self.trust {
            Trust::Public => false,
            // Named by the user, so neither its name nor its dates matter: cameras write
            // "192.168.1.108" or 1970 into theirs.
            Trust::Certificates(found) => found.iter().any(|der| **der == **end_entity),
            Trust::Fingerprint(right) => fingerprint == *right,
            Trust::Anything => true,
        };
        if is_named {
            return Ok(ServerCertVerified::assertion());
        }
        let verified = match &self.authorities {
            Some(authorities) => authorities.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            ),
            None => Err(CertificateError::UnknownIssuer.into()),
        };
        verified.map_err(|e| {
            rustls::Error::General(format!(
                "{e}; if this is the server's certificate, use --tls-ca sha256:{}",
                hex(&fingerprint)
            ))
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verify_signature(|known| verify_tls12_signature(message, cert, dss, known))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verify_signature(|known| verify_tls13_signature(message, cert, dss, known))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

impl<T: Transport> fmt::Debug for Connection<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TLS over {:?}", self.stream.sock.inner())
    }
}
