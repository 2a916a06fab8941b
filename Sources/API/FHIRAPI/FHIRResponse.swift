import FHIRModel
import HTTPSupport
import Workflow

/// The answer to a ``FHIRCall``.
package struct FHIRResponse: Sendable {
    /// What follows the head.
    package enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// A blob to stream.
        case blob(BlobID, count: Int64)
        /// A part of one.
        case blobPart(BlobID, ByteRange)
    }
    /// The HTTP status.
    package var status: Int
    /// Header fields in order, names as they are sent.
    package var headers: [(name: String, value: String)]
    /// What follows the head.
    package var body: Body
    /// When the version it is of was made.
    package var lastUpdated: UTCInstant?
    /// What ``body`` says, where it is an OperationOutcome about the interaction itself.
    package var outcome: OperationOutcome?
    /// The kind of the error behind a failure of ours, for the log: never sent, and without values.
    package var failure: String?

    /// A response with these fields and no others.
    package init(_ status: Int, headers: [(name: String, value: String)] = [], body: Body = .none) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// A FHIR JSON body. FHIR R4 http.html#mime-type.
    static func json(_ status: Int, _ bytes: [UInt8], headers: [(name: String, value: String)] = []) -> FHIRResponse {
        FHIRResponse(
            status, headers: headers + [("Content-Type", "application/fhir+json; charset=utf-8")], body: .bytes(bytes))
    }

    static func outcome(_ status: Int, _ outcome: OperationOutcome, headers: [(name: String, value: String)] = [])
        -> FHIRResponse
    {
        var response = json(status, outcome.bytes, headers: headers)
        response.outcome = outcome
        return response
    }
}
