/// The bounds a JSON text must keep while it is read.
///
/// Every loop of the reader ends at one of these; a text that passes all of them costs at most 16 bytes of tape a
/// token besides its own bytes.
package struct JSONLimits: Sendable, Hashable {
    /// Length of the whole text in bytes.
    package var bytesMax: Int
    /// Open objects and arrays at one time. A scalar text has depth 0.
    package var depthMax: Int
    /// Nodes of the tape: values plus member names.
    package var tokensMax: Int
    /// Length of one string between its quotes, in bytes as written, escapes unexpanded.
    package var stringBytesMax: Int
    /// Length of one number's text in bytes. 64 holds every decimal that FHIR R4 datatypes.html#decimal asks for.
    package var numberBytesMax: Int
    /// Whether `data` at the root of a `Binary` may pass `stringBytesMax`; it is content, not an element to index.
    package var exemptsBinaryData: Bool

    /// The limits for one resource or Bundle received from a client.
    package static let resource = JSONLimits(
        bytesMax: 16 << 20, depthMax: 64, tokensMax: 1_000_000, stringBytesMax: 8 << 20, numberBytesMax: 64,
        exemptsBinaryData: true)

    /// The limits for bytes that this server stored or made itself: a little looser than `.resource`, because
    /// storing adds `id` and `meta` to what a client sent.
    package static let stored = JSONLimits(
        bytesMax: 64 << 20, depthMax: 68, tokensMax: 4_000_000, stringBytesMax: 48 << 20, numberBytesMax: 64,
        exemptsBinaryData: true)
}
