import FHIRModel
import FHIRResources
import HTTPSupport
import Workflow

/// The answers to the entries of a Bundle, as many bytes of them as one answer may hold.
/// FHIR R4 http.html#transaction-response.
struct BundleAnswers: Sendable {
    private var entries: [BundleWriter.Entry?]
    private let preferences: Preferences
    private let bytesMax: Int
    private var bytes = 0
    /// Whether something did not fit.
    private(set) var isFull = false
    /// The kinds of the errors behind failures of ours, in the order in which they came.
    private var failures: [String] = []

    /// - Parameters:
    ///   - count: of the entries.
    ///   - preferences: of the request that brought the Bundle.
    init(count: Int, _ preferences: Preferences, bytesMax: Int) {
        entries = Array(repeating: nil, count: count)
        self.preferences = preferences
        self.bytesMax = bytesMax
    }

    /// Keeps an answer; throws ``OutcomeError`` for one that does not fit.
    mutating func keep(_ answer: FHIRResponse, at index: Int) throws {
        guard keep(Self.entry(answer, preferences), answer, at: index) else { throw tooMuch }
    }

    /// Keeps an answer that stands by itself. Where it does not fit, a change is told without its content, for it was
    /// made; anything else as 413.
    mutating func keepWhatFits(of answer: FHIRResponse, at index: Int) {
        var entry = Self.entry(answer, preferences)
        if keep(entry, answer, at: index) { return }
        guard entry.response?.location != nil else { return refuse(at: index) }
        entry.resource = nil
        entries[index] = entry
    }

    /// Answers an entry for which there is no room.
    mutating func refuse(at index: Int) {
        entries[index] = Self.entry(.outcome(tooMuch.status, tooMuch.outcome), preferences)
    }

    private mutating func keep(_ entry: BundleWriter.Entry, _ answer: FHIRResponse, at index: Int) -> Bool {
        if let failure = answer.failure, !failures.contains(failure) { failures.append(failure) }
        var count = entry.resource?.count ?? 0
        if answer.outcome != nil, case .bytes(let bytes) = answer.body { count = bytes.count }
        guard count <= bytesMax - bytes else {
            isFull = true
            return false
        }
        bytes += count
        entries[index] = entry
        return true
    }

    private var tooMuch: OutcomeError {
        OutcomeError(
            status: 413,
            outcome: OperationOutcome(
                .error, .tooCostly,
                details: "the answers to one Bundle hold at most \(bytesMax) bytes; ask for this by itself"))
    }

    /// The answers as a Bundle, in the order of the entries.
    func response(
        _ type: BundleWriter.BundleType, at time: UTCInstant, _ baseURL: String
    ) throws -> FHIRResponse {
        var writer = BundleWriter(type: type, timestamp: time.instantText, links: [.init("self", baseURL)])
        for entry in entries {
            guard let entry else { throw StoreError(.misuse, "an entry has no answer") }
            writer.append(entry)
        }
        writer.finish()
        var response = FHIRResponse.json(200, writer.takeBytes())
        if !failures.isEmpty { response.failure = failures.joined(separator: ", ") }
        return response
    }

    /// RFC 9110 §15. A status without one stands by its number.
    private static let phrases = [
        200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 304: "Not Modified", 400: "Bad Request",
        403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict", 410: "Gone",
        412: "Precondition Failed", 413: "Content Too Large", 415: "Unsupported Media Type",
        422: "Unprocessable Content", 429: "Too Many Requests", 500: "Internal Server Error", 501: "Not Implemented",
        503: "Service Unavailable", 507: "Insufficient Storage",
    ]

    /// What was written is shown where the client prefers it: it has sent most of it.
    private static func entry(_ answer: FHIRResponse, _ preferences: Preferences) -> BundleWriter.Entry {
        func header(_ name: String) -> String? { answer.headers.first { $0.name == name }?.value }
        let response = BundleWriter.Response(
            status: ([String(answer.status)] + (phrases[answer.status].map { [$0] } ?? [])).joined(separator: " "),
            location: header("Location") ?? header("Content-Location"), etag: header("ETag"),
            lastModified: answer.lastUpdated?.instantText, outcome: answer.outcome)
        var resource: ArraySlice<UInt8>?
        let isWrite = response.location != nil
        if answer.outcome == nil, case .bytes(let bytes) = answer.body,
            !isWrite || preferences.returning == .representation
        {
            resource = bytes[...]
        }
        return BundleWriter.Entry(resource: resource, response: response)
    }
}
