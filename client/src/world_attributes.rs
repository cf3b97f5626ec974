//! Which attributes the world has, told by the server before anything else.

use std::sync::Arc;

use throng_shared::attributes::{AttributeRule, Schema};
use throng_shared::wire::channel::MessageChannel;
use throng_shared::wire::{WireError, attributes};

/// What has been told of them.
#[derive(Debug, Default)]
pub(crate) struct WorldAttributes {
    /// How many there are; none before the welcome.
    count: Option<u8>,
    rules: Vec<AttributeRule>,
    schema: Option<Arc<Schema>>,
}

impl WorldAttributes {
    /// The welcome has said how many there are.
    pub(crate) fn expect(&mut self, count: u8) {
        self.count = Some(count);
    }

    /// All of them, once they are told.
    pub(crate) fn schema(&self) -> Option<&Arc<Schema>> {
        self.schema.as_ref()
    }

    /// Takes them in from the channel. Whether they have become complete.
    ///
    /// # Errors
    /// When something else is told before, or they are not as attributes may be.
    pub(crate) fn hear(&mut self, channel: &mut MessageChannel) -> Result<bool, WireError> {
        if self.schema.is_some() {
            return Ok(false);
        }
        while self.count.is_some_and(|count| self.rules.len() < usize::from(count)) {
            let Some(message) = channel.next_message() else { return Ok(false) };
            self.rules.push(attributes::rule_of(&message)?);
        }
        if self.count.is_some() {
            let schema = Schema::new(std::mem::take(&mut self.rules)).map_err(|_| WireError::InvalidField)?;
            self.schema = Some(Arc::new(schema));
        }
        Ok(self.schema.is_some())
    }
}
