use super::{ExportContext, to_dot, to_json, to_jsonld, to_prov_json, to_prov_n, to_ro_crate, to_svg};
use crate::Lineage;
use std::fmt;
use std::str::FromStr;

/// What a lineage can be exported as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProvFormat {
    /// Nodes and edges, as this registry tells them.
    Json,
    /// W3C's PROV-JSON.
    ProvJson,
    /// W3C's PROV-N: the notation that people read.
    ProvN,
    /// PROV-O as JSON-LD, in the shape of W3C's PROV-JSONLD.
    JsonLd,
    /// Graphviz.
    Dot,
    /// A picture.
    Svg,
    /// RO-Crate 1.1: the text of `ro-crate-metadata.json`.
    RoCrate,
}

/// The text names no format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one of json, prov-json, prov-n, jsonld, dot, svg, ro-crate")]
pub struct InvalidProvFormat;

impl ProvFormat {
    /// Every format.
    pub const ALL: [Self; 7] =
        [Self::Json, Self::ProvJson, Self::ProvN, Self::JsonLd, Self::Dot, Self::Svg, Self::RoCrate];

    /// How requests name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::ProvJson => "prov-json",
            Self::ProvN => "prov-n",
            Self::JsonLd => "jsonld",
            Self::Dot => "dot",
            Self::Svg => "svg",
            Self::RoCrate => "ro-crate",
        }
    }

    /// The `Content-Type` of an export. PROV-JSON never got a type of its own.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json | Self::ProvJson => "application/json",
            Self::ProvN => "text/provenance-notation; charset=utf-8",
            Self::JsonLd => "application/ld+json",
            Self::Dot => "text/vnd.graphviz; charset=utf-8",
            Self::Svg => "image/svg+xml",
            Self::RoCrate => "application/ld+json; profile=\"https://w3id.org/ro/crate\"",
        }
    }

    /// The whole export as text.
    pub fn export(self, lineage: &Lineage, context: &ExportContext) -> String {
        match self {
            Self::Json => to_json(lineage, context).to_string(),
            Self::ProvJson => to_prov_json(lineage, context).to_string(),
            Self::ProvN => to_prov_n(lineage, context),
            Self::JsonLd => to_jsonld(lineage, context).to_string(),
            Self::Dot => to_dot(lineage, context),
            Self::Svg => to_svg(lineage, context),
            Self::RoCrate => to_ro_crate(lineage, context).to_string(),
        }
    }
}

impl FromStr for ProvFormat {
    type Err = InvalidProvFormat;

    fn from_str(text: &str) -> Result<Self, InvalidProvFormat> {
        Self::ALL.into_iter().find(|format| format.name() == text).ok_or(InvalidProvFormat)
    }
}

impl fmt::Display for ProvFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_found_by_its_name_alone() {
        for format in ProvFormat::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        for text in ["", "SVG", "turtle", "prov_json"] {
            assert_eq!(text.parse::<ProvFormat>(), Err(InvalidProvFormat), "{text}");
        }
    }
}
