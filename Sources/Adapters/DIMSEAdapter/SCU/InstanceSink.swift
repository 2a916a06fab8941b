import DICOMData
import DICOMNetwork

/// An instance that begins to come.
package struct InstanceHead: Sendable, Hashable {
    package let sopClassUID: String
    /// Checked to be a UID that may name a file.
    package let sopInstanceUID: String
    package let transferSyntax: TransferSyntax
    /// Who sends it.
    package let sender: AETitle
}

/// Where the instances of a C-GET go, as they come.
package protocol InstanceSink: Sendable {
    /// A place for an instance. Called on the event loop: must not block. What it throws is answered by A700.
    func begin(_ head: InstanceHead) throws -> any InstanceWriting
}

/// One instance on its way to its place.
package protocol InstanceWriting: Sendable {
    /// The next bytes of its data set. Called on the event loop: synchronous writes into the page cache are all that may
    /// block. What it throws is answered by A700, and ``abort()`` follows.
    func append(_ bytes: UnsafeRawBufferPointer) throws
    /// It is whole. Success says that the sink answers for it from now on: it is durable, or a copy of what the sender keeps
    /// that soon will be. With another status nothing of it remains.
    func finish() async -> DIMSEStatus
    /// It will not be whole: nothing of it remains.
    func abort()
}
