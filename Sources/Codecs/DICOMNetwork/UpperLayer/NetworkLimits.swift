/// The named limits of this module on outside input. Configurable by the owner of an association.
package struct NetworkLimits: Sendable, Equatable {
    /// The P-DATA-TF length that is offered to peers, bytes. 128 KiB: larger gains no throughput on measured hosts.
    package var dataPDULengthOffered: UInt32 = 128 * 1024
    /// The longest P-DATA-TF that is read, bytes; a peer that ignores the offer up to this is tolerated.
    package var dataPDULengthMax: UInt32 = 1024 * 1024
    /// The longest A-ASSOCIATE-RQ or -AC that is read, bytes: 128 contexts with 20 syntaxes of 64 characters each are
    /// 186,000, and extended and role negotiation of each class come on top.
    package var associatePDULengthMax: UInt32 = 384 * 1024
    /// Presentation contexts of one association; the odd one-byte identifiers allow no more. PS3.8 §9.3.2.2.
    package var presentationContextsMax = 128
    /// PDVs of one P-DATA-TF. Stops a PDU of 174,000 empty PDVs.
    package var valuesPerPDUMax = 1024
    /// The longest command set, bytes. The largest real one (AT lists of N-GET) is a few KiB.
    package var commandBytesMax = 64 * 1024
    /// The longest data set of one message, bytes: 4 GiB.
    package var dataSetBytesMax: UInt64 = 4 << 30
    /// Empty fragments that are not the last, in one message. They carry nothing; a few devices send one.
    package var emptyFragmentsMax = 16

    package init() {}

    /// The longest P-DATA-TF that we send, bytes, also to a peer without a limit.
    package static let dataPDULengthSentMax: UInt32 = 128 * 1024
    /// The smallest maximum length of a peer that we serve, bytes. Below it the headers outweigh the data, and a
    /// peer could ask for a small amount and be sent many times that.
    package static let peerPDULengthMin: UInt32 = 1024
    /// The fixed length of A-ASSOCIATE-RJ, A-RELEASE-RQ, A-RELEASE-RP and A-ABORT, bytes. PS3.8 §9.3.4 to §9.3.8.
    package static let fixedPDULength: UInt32 = 4
}
