use crate::bitcoin::{ChainRules, LookupError};
use crate::{BlockHeaders, HeadersError, ShownBlock, Unknown, Verdict};

impl Verdict {
    /// Whether the message is attested by the block of that height, on the source's word. If the source is a chain
    /// that was checked here, it is nobody's word.
    ///
    /// # Errors
    ///
    /// [`HeadersError`], if the source fails; this says nothing about the message.
    pub async fn by_source(
        source: &dyn BlockHeaders,
        rules: &ChainRules,
        height: u32,
        message: &[u8],
    ) -> Result<Self, HeadersError> {
        let last = source.tip().await?;
        let Some(header) = source.header(height).await? else {
            return Ok(Self::Unknown(Unknown::Headers(LookupError::AboveTip { last })));
        };
        let shown = ShownBlock {
            assurance: source.assurance(),
            height,
            header,
            // None, if the chain has just got shorter than it was.
            confirmations: last.checked_sub(height).map(|above| above.saturating_add(1)),
            source: &source.name(),
        };
        Ok(Self::by_header(rules, shown, message))
    }
}
