use super::fault::SignatureFault;

/// A request that came in, as far as signatures cover it.
#[derive(Clone, Copy, Debug)]
pub struct SignedRequest<'a> {
    /// As it came: `POST`.
    pub method: &'a str,
    /// Scheme and authority of the public URL that this server was configured with ([`Site::base`](crate::Site)),
    /// whatever a proxy made of it on the way.
    pub origin: &'a str,
    /// Path and query, as they came.
    pub target: &'a str,
    /// Names in any case, values as they came, in their order. Behind a proxy that replaces `Host`, the original
    /// one.
    pub headers: &'a [(&'a str, &'a [u8])],
}

impl<'a> SignedRequest<'a> {
    pub(super) fn scheme(&self) -> &'a str {
        self.origin.split_once("://").map_or("", |(scheme, _)| scheme)
    }

    pub(super) fn authority(&self) -> &'a str {
        self.origin.split_once("://").map_or("", |(_, authority)| authority)
    }

    pub(super) fn path(&self) -> &'a str {
        let path = self.target.split_once('?').map_or(self.target, |(path, _)| path);
        if path.is_empty() { "/" } else { path }
    }

    pub(super) fn query(&self) -> Option<&'a str> {
        self.target.split_once('?').map(|(_, query)| query)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }

    /// The values of a header, without the white space around them.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let named = self.headers.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.trim_ascii())
    }

    /// Adds the header's values as both schemes join them. `false` when there is none.
    pub(super) fn append(&self, name: &str, to: &mut Vec<u8>) -> Result<bool, SignatureFault> {
        let mut found = false;
        for value in self.values(name) {
            // A line break would let one header speak for others.
            if value.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
                return Err(SignatureFault::Value(name.to_owned()));
            }
            if found {
                to.extend_from_slice(b", ");
            }
            to.extend_from_slice(value);
            found = true;
        }
        Ok(found)
    }

    pub(super) fn field(&self, name: &str) -> Result<Option<Vec<u8>>, SignatureFault> {
        let mut value = Vec::new();
        Ok(self.append(name, &mut value)?.then_some(value))
    }

    /// A server that parses requests lets no white space get here; the signed text must not depend on it.
    pub(super) fn check_line(&self) -> Result<(), SignatureFault> {
        let broken = |text: &str| text.bytes().any(|byte| byte.is_ascii_control() || byte == b' ');
        match [("@method", self.method), ("@target-uri", self.target)].into_iter().find(|(_, text)| broken(text)) {
            Some((name, _)) => Err(SignatureFault::Value(name.to_owned())),
            None => Ok(()),
        }
    }

    /// Whether the `Host` header, if there is one, names the configured server. HTTP/2 has none.
    pub(super) fn check_host(&self) -> Result<(), SignatureFault> {
        let Some(host) = self.field("host")? else { return Ok(()) };
        let default_port: &[u8] = if self.scheme() == "https" { b":443" } else { b":80" };
        let host = host.strip_suffix(default_port).unwrap_or(&host);
        let expected = self.authority().as_bytes();
        let expected = expected.strip_suffix(default_port).unwrap_or(expected);
        if host.eq_ignore_ascii_case(expected) { Ok(()) } else { Err(SignatureFault::Host) }
    }
}
