import Access
import Admission
import DICOMData
import DICOMNetwork
import DICOMTranslation
import DIMSEAdapter
import FHIRAPI
import FHIRModel
import FHIRSearch
import HL7v2
import HTTPSupport
import MLLPAdapter
import NIOCore
import OutboundAdapter
import SQLStore
import Workflow

/// What each door takes at most: `limits` of `hilum.yaml`. The defaults are those of the codecs and doors.
struct ServerLimits: Sendable {
    var http = HTTPLimits()
    var fhir = FHIRLimits()
    /// How long a search may run.
    var search = TimeAmount(SQLDatabaseConfiguration.readTimeoutDefault)
    /// Searches of one client that may run at a time.
    var searchesPerClientMax = SQLDatabaseConfiguration.searchesPerClientDefault
    /// Searches of one client that may wait.
    var waitingSearchesPerClientMax = SQLDatabaseConfiguration.waitingSearchesPerClientDefault
    var ingest = IngestLimits()
    var associations = AssociationLimits()
    var network = NetworkLimits()
    var timers = DIMSETimers()
    var mllp = MLLPLimits()
    var hl7 = HL7Limits()
    var outbound = HTTPSOutbound.Limits()
    var strangers = StrangerLimits()
    var delivery = DeliveryLimits()
    var archives = ArchiveSearch.Limits()
    var fetches = FetchRule()
    /// Bytes of each disk that content leaves free, so that audit rows still fit.
    var reserveBytes: Int64 = 64 << 20
    /// Between two passes over the blobs folder.
    var sweepInterval = TimeAmount.hours(1)
    var admission = AdmissionLimits()
    var callers = CallerThrottle.limitsDefault
    /// Bytes that peers may make this process hold, over all doors.
    var memoryBytesMax = 512 << 20
    /// What was written above what may be set now, and is taken as that: a line for people each, in the order of ``entries``.
    private(set) var lowered: [String] = []

    /// One limit that a site may set.
    struct Entry: Sendable {
        let key: String
        /// Of what may be set; what lies outside would break the server or one of its standards.
        let range: ClosedRange<Int64>
        /// The largest that earlier versions took; what lies above the range and not above this is lowered to the range.
        let formerMax: Int64
        let meaning: String
        let get: @Sendable (ServerLimits) -> Int64
        let set: @Sendable (inout ServerLimits, Int64) -> Void

        init<Number: BinaryInteger & Sendable>(
            _ key: String, _ path: any WritableKeyPath<ServerLimits, Number> & Sendable, _ range: ClosedRange<Int64>,
            _ meaning: String, formerMax: Int64? = nil
        ) {
            self.key = key
            self.range = range
            self.formerMax = formerMax ?? range.upperBound
            self.meaning = meaning
            get = { Int64($0[keyPath: path]) }
            set = { $0[keyPath: path] = Number($1) }
        }

        /// Whole seconds, up to a day.
        init(_ key: String, _ path: any WritableKeyPath<ServerLimits, TimeAmount> & Sendable, _ meaning: String) {
            self.key = key
            self.range = 1...86_400
            formerMax = range.upperBound
            self.meaning = meaning
            get = { $0[keyPath: path].nanoseconds / 1_000_000_000 }
            set = { $0[keyPath: path] = .seconds($1) }
        }
    }

    /// What is taken must be readable afterwards.
    private static let stored = DecodingLimits.stored

    /// Every limit, in the order in which `hilum init` writes them.
    static let entries: [Entry] = [
        // All doors.
        Entry("connections", \.admission.connectionsMax, 1...1_000_000, "at a time, over all doors"),
        Entry("handshakes", \.admission.handshakesMax, 1...100_000, "TLS handshakes of a door at a time"),
        Entry("handshake-seconds", \.admission.handshakeSeconds, 1...300, "from a connection to its TLS"),
        Entry(
            "descriptors-reserve", \.admission.descriptorsReserve, 16...100_000,
            "left for files and database; at most a quarter"),
        Entry("memory-bytes", \.memoryBytesMax, (64 << 20)...(1 << 40), "held for peers, over all doors"),
        Entry("caller-refusals", \.callers.burst, 1...100_000, "of unknown AE titles, senders of an address in a row"),
        Entry("caller-refusals-per-minute", \.callers.perMinute, 1...100_000, "after these; more are held back"),
        // HTTP.
        Entry("http-connections", \.admission.http.connectionsMax, 1...1_000_000, "at a time"),
        Entry(
            "http-connections-per-address", \.admission.http.connectionsPerAddressMax, 1...1_000_000,
            "at a time, of one address (IPv6 /64)"),
        Entry("http-header-bytes", \.http.headerBytesMax, 1024...(1 << 16), "header fields of a request together"),
        Entry("http-header-fields", \.http.headerFieldsMax, 10...1000, "header fields of a request"),
        Entry("http-target-bytes", \.http.targetBytesMax, 256...(1 << 16), "path and query of a request"),
        Entry("http-query-parameters", \.queryParameters, 1...100_000, "of a query or a form"),
        Entry("http-body-bytes", \.bodyBytes, 1024...(48 << 20), "a body that is no DICOM, so also a FHIR resource"),
        Entry("http-first-request-seconds", \.http.firstRequest, "from the connection to its first request"),
        Entry("http-body-bytes-per-second", \.http.bodyBytesPerSecondMin, 1...(1 << 20), "at least, of a slow body"),
        Entry("http-body-grace-seconds", \.http.bodyGrace, "over which a body's rate is taken"),
        Entry("http-write-seconds", \.http.write, "an answer that is not read"),
        Entry("http-idle-seconds", \.http.idle, "a connection without a request"),
        Entry("http-drain-bytes", \.http.drainBytesMax, 0...(16 << 20), "read of a request after its answer"),
        Entry("http-drain-seconds", \.http.drain, "a request that goes on after its answer"),
        Entry("bulk-responses", \.http.bulkResponsesMax, 1...10_000, "at a time; further ones wait"),
        // FHIR.
        Entry("json-depth", \.fhir.json.depthMax, 8...64, "objects and arrays inside one another"),
        Entry("json-tokens", \.fhir.json.tokensMax, 100...3_900_000, "values and names of a resource"),
        Entry("json-string-bytes", \.fhir.json.stringBytesMax, 1024...(48 << 20), "a string; not Binary.data"),
        Entry("json-number-bytes", \.fhir.json.numberBytesMax, 18...64, "a number's text"),
        Entry("bundle-entries", \.fhir.bundleEntriesMax, 1...1_000_000, "of a Bundle that is stored"),
        Entry(
            "bundle-answer-bytes", \.fhir.bundleAnswerBytesMax, 1024...(1 << 30),
            "of the answers to a batch or transaction together"),
        Entry("search-page-entries", \.fhir.search.countMax, 1...10_000, "_count is lowered to it"),
        Entry("search-values", \.fhir.search.valuesMax, 1...10_000, "of a parameter, joined by commas"),
        Entry(
            "search-chain-depth", \.fhir.search.chainDepthMax, 1...3, "references of a chained parameter", formerMax: 8),
        Entry("search-has-depth", \.fhir.search.reverseChainDepthMax, 1...2, "_has inside _has", formerMax: 4),
        Entry("search-includes", \.fhir.search.includesMax, 1...100, "_include and _revinclude together"),
        Entry("search-included-entries", \.fhir.search.includedMax, 1...10_000, "included in a page"),
        Entry("search-include-rounds", \.fhir.search.includeRoundsMax, 1...8, "of :iterate"),
        Entry("search-conditions", \.fhir.search.conditionsMax, 10...1000, "of a search, each as it is looked at"),
        Entry("search-page-bytes", \.fhir.search.pageBytesMax, 1024...(1 << 30), "of the resources on a page"),
        Entry("search-link-seconds", \.fhir.search.linkSeconds, 60...86_400, "from the first page to the last"),
        Entry("search-seconds", \.search, "a search, with all it includes"),
        Entry("searches-per-client", \.searchesPerClientMax, 1...10_000, "at a time, also of QIDO-RS; others wait"),
        Entry(
            "searches-waiting-per-client", \.waitingSearchesPerClientMax, 1...10_000, "for their turn; one more is 429"),
        Entry("exports-per-client", \.fhir.exportsPerClientMax, 1...1000, "accepted or running"),
        Entry("imports-per-client", \.fhir.imports.perClientMax, 1...1000, "accepted or running"),
        Entry("imports", \.fhir.imports.runningMax, 1...16, "worked on at a time; others wait"),
        Entry("import-files", \.fhir.imports.inputsMax, 1...100_000, "of one import"),
        Entry("import-file-bytes", \.fhir.imports.fileBytesMax, 1024...(1 << 42), "a file, uncompressed"),
        Entry(
            "import-outcomes", \.fhir.imports.outcomesMax, 1...1_000_000,
            "lines refused until an import is given up"),
        Entry(
            "import-bytes-per-second", \.fhir.imports.bytesPerSecondMin, 1...(1 << 20),
            "at least, of a file that comes slowly"),
        Entry("import-grace-seconds", \.fhir.imports.graceSeconds, 1...3_600, "over which its rate is taken"),
        Entry("import-attempts", \.fhir.imports.attemptsMax, 1...100, "for a file that brings no new line"),
        // DICOM.
        Entry("object-bytes", \.objectBytes, 1024...(1 << 40), "a DICOM object, by either door"),
        Entry("stow-part-bytes", \.http.multipart.partBytesMax, 1024...(1 << 40), "a part of a STOW-RS request"),
        Entry("stow-parts", \.http.multipart.partsMax, 1...10_000_000, "parts of a STOW-RS request"),
        Entry("dicom-depth", \.ingest.decoding.depthMax, 1...Int64(stored.depthMax), "sequences inside one another"),
        Entry(
            "dicom-elements", \.ingest.decoding.elementsMax, 100...Int64(stored.elementsMax),
            "of an object, items included"),
        Entry(
            "dicom-header-bytes", \.ingest.headerBytesMax, 1024...(256 << 20), "of an object without pixels and bulk"),
        Entry(
            "dicom-deflate-ratio", \.ingest.decoding.deflateRatioMax, 1...Int64(stored.deflateRatioMax),
            "inflated bytes for one"),
        Entry(
            "dicom-inflated-bytes", \.ingest.decoding.inflatedBytesMax, 1024...Int64(stored.inflatedBytesMax),
            "of a deflated object"),
        // DIMSE.
        Entry("dimse-associations", \.associations.associationsMax, 1...10_000, "at a time"),
        Entry("dimse-associations-per-peer", \.associations.associationsPerPeerMax, 1...10_000, "at a time"),
        Entry("dimse-connections", \.admission.dimse.connectionsMax, 1...100_000, "also without an association"),
        Entry(
            "dimse-connections-per-address", \.admission.dimse.connectionsPerAddressMax, 1...100_000,
            "at a time, of one address (IPv6 /64)"),
        Entry("dimse-pdu-bytes-offered", \.network.dataPDULengthOffered, 4096...(1 << 20), "to peers, a P-DATA-TF"),
        Entry("dimse-pdu-bytes", \.network.dataPDULengthMax, 4096...(16 << 20), "a P-DATA-TF that is read"),
        Entry("dimse-associate-bytes", \.network.associatePDULengthMax, 1024...(1 << 20), "an A-ASSOCIATE-RQ"),
        Entry("dimse-contexts", \.network.presentationContextsMax, 1...128, "presentation contexts"),
        Entry("dimse-artim-seconds", \.timers.artim, "to an association request, and to the close"),
        Entry("dimse-idle-seconds", \.timers.idle, "an association without progress"),
        Entry(
            "dimse-bytes-per-second", \.timers.messageBytesPerSecondMin, 1...(1 << 20),
            "at least, of a message on its way"),
        // Archives behind this server.
        Entry("archive-seconds", \.archives.seconds, 1...60, "a query of an archive; all are asked at once"),
        Entry("archive-matches", \.archives.matchesMax, 1...10_000, "taken of one archive for a query"),
        Entry(
            "archive-rest-seconds", \.archives.restSeconds, 1...3_600,
            "that an archive is left alone after a failure; up to 16 times as long after several"),
        Entry("archive-fetches", \.fetches.runningMax, 1...1_000, "studies fetched at a time, of all archives"),
        Entry("archive-fetches-per-archive", \.fetches.perArchiveMax, 1...100, "at a time, of one archive"),
        Entry(
            "archive-prefetches", \.fetches.prefetchesMax, 1...100,
            "studies fetched at a time that nobody waits for; one place stays free for those that somebody does"),
        Entry("archive-fetches-waiting", \.fetches.waitingMax, 1...100_000, "studies that wait to be fetched"),
        Entry("archive-fetch-instances", \.fetches.instancesMax, 1...200_000, "of a study that is fetched"),
        Entry("archive-fetch-bytes", \.fetches.bytesMax, 1024...(1 << 42), "of a study that is fetched"),
        Entry("archive-fetch-seconds", \.fetches.seconds, 10...86_400, "an attempt to fetch a study"),
        Entry("archive-fetch-attempts", \.fetches.attemptsMax, 1...100, "until a study is given up"),
        Entry(
            "archive-wait-seconds", \.fetches.waitSeconds, 1...120,
            "a web request for what is being fetched; then 503"),
        Entry(
            "archive-fresh-seconds", \.fetches.freshSeconds, 0...86_400,
            "until an archive is asked again whether it has more of a study"),
        // MLLP.
        Entry("mllp-message-bytes", \.messageBytes, 1024...(1 << 30), "a message"),
        Entry("mllp-segments", \.hl7.segmentsMax, 1...1_000_000, "of a message"),
        Entry("mllp-fields", \.hl7.fieldsMax, 10...1_000_000, "of a segment"),
        Entry("mllp-repetitions", \.hl7.repetitionsMax, 1...1_000_000, "of a field"),
        Entry("mllp-connections", \.admission.mllp.connectionsMax, 1...100_000, "at a time"),
        Entry(
            "mllp-connections-per-peer", \.admission.mllp.connectionsPerAddressMax, 1...100_000,
            "at a time, of one address (IPv6 /64)"),
        Entry("mllp-frame-seconds", \.mllp.openFrame, "from a message's first byte to its last"),
        Entry("mllp-idle-seconds", \.mllp.idle, "a connection without a message"),
        // Callers who have not proved who they are, by address (IPv6 by /64).
        Entry("stranger-refusals", \.strangers.burst, 1...1_000_000, "in a row; further ones are 429"),
        Entry("stranger-refusals-per-minute", \.strangers.perMinute, 1...1_000_000, "given back"),
        Entry("stranger-audit-rows", \.strangers.rowsPerAddress, 0...10_000, "one each, then one for all"),
        Entry("stranger-audit-rows-together", \.strangers.rowsMax, 1...100_000, "of all addresses"),
        Entry("stranger-audit-seconds", \.strangers.intervalSeconds, 1...86_400, "until refusals are summed"),
        // Outbound.
        Entry("outbound-body-bytes", \.outbound.bodyBytesMax, 1024...(16 << 20), "a fetched key set"),
        Entry("outbound-seconds", \.outbound.total, "a fetch"),
        // What is in the outbox.
        Entry("delivery-places", \.delivery.places, 1...1_000, "deliveries at a time, over all destinations"),
        Entry("delivery-lease-seconds", \.delivery.leaseSeconds, 10...3_600, "until another server may take over"),
        Entry("delivery-tick-seconds", \.delivery.tickSeconds, 1...3_600, "between two looks that nothing asked for"),
        Entry("delivery-drain-seconds", \.delivery.drainSeconds, 0...600, "of deliveries under way at a stop"),
        // Disk.
        Entry(
            "disk-reserve-bytes", \.reserveBytes, 0...(1 << 40),
            "that content leaves free for the audit trail; at most an eighth of the disk"),
        Entry("blob-sweep-seconds", \.sweepInterval, "between two looks for objects that no row names"),
    ]

    // MARK: What one key sets in two places

    private var queryParameters: Int {
        get { http.queryParametersMax }
        set {
            http.queryParametersMax = newValue
            fhir.search.parametersMax = newValue
        }
    }

    private var bodyBytes: Int {
        get { http.bodyBytesMax }
        set {
            http.bodyBytesMax = newValue
            fhir.json.bytesMax = newValue
        }
    }

    private var objectBytes: Int64 {
        get { ingest.bytesMax }
        set {
            ingest.bytesMax = newValue
            network.dataSetBytesMax = UInt64(newValue)
        }
    }

    private var messageBytes: Int {
        get { mllp.messageBytesMax }
        set {
            mllp.messageBytesMax = newValue
            hl7.messageBytesMax = newValue
        }
    }
}

extension ServerLimits: Decodable {
    /// Throws ``ConfigurationError`` for a key that is not in ``entries`` and a value that never was within its range.
    init(from decoder: any Decoder) throws {
        self.init()
        let container = try decoder.container(keyedBy: AnyKey.self)
        for key in container.allKeys {
            guard let entry = Self.entries.first(where: { $0.key == key.stringValue }) else {
                throw ConfigurationError(
                    "limits: unknown key `\(key.stringValue)`; known are \(Self.entries.map(\.key).joined(separator: ", "))"
                )
            }
            var value = try container.decode(Int64.self, forKey: key)
            if value > entry.range.upperBound, value <= entry.formerMax { value = entry.range.upperBound }
            guard entry.range.contains(value) else {
                throw ConfigurationError(
                    "limits.\(entry.key): \(value) is not within \(entry.range.lowerBound) to \(entry.range.upperBound)"
                )
            }
            entry.set(&self, value)
        }
        lowered = try Self.entries.compactMap { entry -> String? in
            guard let key = container.allKeys.first(where: { $0.stringValue == entry.key }) else { return nil }
            let written = try container.decode(Int64.self, forKey: key)
            return written > entry.range.upperBound
                ? "limits.\(entry.key): \(written) is more than the server takes, and counts as \(entry.range.upperBound)"
                : nil
        }
    }

    /// Comment lines for `hilum.yaml`: each limit with its default and what it bounds.
    static var commentary: String {
        let defaults = ServerLimits()
        return entries.map { entry in
            let setting = "#   \(entry.key): \(entry.get(defaults))"
            return setting + String(repeating: " ", count: max(1, 45 - setting.count)) + "# " + entry.meaning
        }.joined(separator: "\n")
    }
}

/// Any key of a YAML mapping.
struct AnyKey: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
