import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import Synchronization
import Workflow

/// The durable store over one database: every port of the workflow, of access and of resources.
///
/// Errors leave as ``Workflow/StoreError``; what a domain service throws passes through unchanged.
package final class RelationalStore: Sendable {
    package let database: SQLDatabase
    let entropy: any Entropy
    /// What follows from changes, in this order.
    let observers: [any CommitObserver]
    let auditWriter: AuditWriter
    let indexer: SearchIndexer
    let paging: SearchPaging
    let searchLimits: SearchLimits
    /// Told the numbers of the rows of the audit trail that a search has passed over, as their records do not open.
    let auditUnopened: @Sendable ([Int64]) -> Void
    /// Why nothing but audit rows is taken now: the disk is about to be full. Asked within each unit.
    let refusal: @Sendable () -> StoreError?
    let rules: SiteRules
    let stations: WorklistStations
    /// By which data sets name who gave a number; nil where every object goes under what its sender wrote.
    let authorities: AssigningAuthorities?
    let instanceRows = InstanceCache()
    let seriesChanges = SeriesChanges()
    let peerDecodings = PeerDecodings()
    /// Raised by each commit that puts something into the outbox.
    package let deliverySignal = DeliverySignal()
    /// Raised by each commit that makes a version of a resource.
    package let changeSignal = DeliverySignal()
    /// Units that may have ended what somebody was allowed to do.
    private let revokingUnits = Atomic<UInt64>(0)
    package var revocations: UInt64 { revokingUnits.load(ordering: .acquiring) }
    /// Units that have linked a series to another patient, or removed one.
    private let movingUnits = Atomic<UInt64>(0)
    /// Rises with each series that is linked to another patient or removed, and whenever another process was found to have
    /// written.
    package var patientLinks: UInt64 { movingUnits.load(ordering: .acquiring) &+ database.resources.strangers }
    let subscriptionKeeping: SubscriptionKeeping
    /// The last version that was matched with Subscriptions, as far as it is not in the database: nothing came of those
    /// between.
    let matchedKey = Mutex<Int64>(0)
    /// The last study whose rows of its patient as known here were made anew, while those of all are.
    let renewedStudy = Mutex<String>("")
    /// Microseconds since 1970 UTC.
    let now: @Sendable () -> Int64
    /// The FHIR base URL, without a closing slash.
    var baseURL: String { indexer.baseURL }

    /// - Parameters:
    ///   - observers: what follows from changes, in this order; the projection first.
    ///   - baseURL: the FHIR base URL; references below it are indexed as local ones.
    ///   - zone: the site's clock, on which a day of a search is a day.
    ///   - rules: what the site decides for the domain's rules.
    ///   - stations: who does steps that name no station.
    ///   - authorities: by which objects say whose they are as it is known here; nil where each says what its sender wrote.
    ///   - pageTokenKey: 32 bytes that seal the links to further pages; nil for a key that ends with the process.
    ///   - subscriptions: what clients may subscribe to.
    ///   - secretKey: 32 bytes that seal what clients entrust to the store; nil where there is none.
    ///   - auditUnopened: told the numbers of the rows of the audit trail that a search has passed over, as their records do
    ///     not open.
    ///   - refusal: why no unit may change anything but the audit trail now; nil while all may.
    package init(
        database: SQLDatabase, entropy: any Entropy, observers: [any CommitObserver], baseURL: String = "",
        zone: LocalZone = .utc, pageTokenKey: [UInt8]? = nil, searchLimits: SearchLimits = .standard,
        rules: SiteRules = SiteRules(),
        stations: WorklistStations = WorklistStations(), authorities: AssigningAuthorities? = nil,
        subscriptions: SubscriptionRules = SubscriptionRules(), secretKey: [UInt8]? = nil,
        refusal: @escaping @Sendable () -> StoreError? = { nil },
        auditUnopened: @escaping @Sendable ([Int64]) -> Void = { _ in },
        now: @escaping @Sendable () -> Int64 = SQLDatabaseConfiguration.systemTime
    ) {
        self.database = database
        self.entropy = entropy
        self.observers = observers
        self.now = now
        self.searchLimits = searchLimits
        self.refusal = refusal
        self.auditUnopened = auditUnopened
        subscriptionKeeping = SubscriptionKeeping(rules: subscriptions, key: secretKey)
        self.rules = rules
        self.stations = stations
        self.authorities = authorities
        auditWriter = AuditWriter(database)
        indexer = SearchIndexer(baseURL: baseURL, zone: zone)
        paging = SearchPaging(tokens: PageTokens(key: pageTokenKey, entropy: entropy), limits: searchLimits)
    }

    package func close() async { await database.close() }

    /// One writing unit: the body, then the observers on what it changed, then the audit rows, all or nothing.
    func writeUnit<T: Sendable>(
        _ access: AccessContext, _ body: @escaping @Sendable (SQLUnitOfWork) throws -> T
    ) async throws -> T {
        let entropy = entropy
        let observers = observers
        let paging = paging
        let indexer = indexer
        let refusal = refusal
        let stations = stations
        let (instanceRows, seriesChanges) = (instanceRows, seriesChanges)
        let authorities = authorities
        let rules = rules
        let subscriptionKeeping = subscriptionKeeping
        let subjects = SubjectChanges()
        // Also where nobody knows what became of the unit.
        defer {
            if subjects.areNoted { instanceRows.changeSubjects() }
            seriesChanges.note(subjects.changedSeries)
            if subjects.haveMoved { movingUnits.add(1, ordering: .releasing) }
        }
        let (value, hasEnqueued, hasVersions, restored, exclusions) = try await translating {
            try await self.database.write { transaction in
                let before = transaction.connection.changeCount
                let unit = SQLUnitOfWork(
                    connection: transaction.connection, transaction: transaction,
                    time: UTCInstant(microseconds: transaction.stamp.time), entropy: entropy, access: access,
                    rules: rules, indexer: indexer, stations: stations, observers: observers,
                    authorities: authorities, subscriptions: subscriptionKeeping,
                    paging: paging, subjects: subjects, searchTimeout: self.database.changeSearchTimeout,
                    hideFromCache: { instanceRows.exclude($0) })
                let value: T
                do { value = try body(unit) } catch let refusal as ChangeSet.Refusal
                    where refusal.cause is SQLStoreError
                {
                    // What the store itself could not do is no entry's fault.
                    throw refusal.cause
                }
                try unit.conclude()
                // What is left of the disk belongs to the audit trail: without it nothing could be read either.
                if transaction.connection.changeCount != before, let refusal = refusal() { throw refusal }
                if !unit.auditRecords.isEmpty { try AuditChain.keep(unit.auditRecords, transaction) }
                return (value, unit.hasEnqueued, unit.log.hasResources, unit.restored, instanceRows.exclusions)
            }
        }
        if !restored.isEmpty { instanceRows.readmit(restored, after: exclusions) }
        if hasEnqueued { deliverySignal.raise() }
        if hasVersions { changeSignal.raise() }
        return value
    }

    /// One reading unit with a single view of the database.
    func readUnit<T: Sendable>(
        _ access: AccessContext, _ readClass: SQLReadClass = .door, snapshot: Bool = true,
        _ body: @escaping @Sendable (SQLUnitOfWork) throws -> T
    ) async throws -> T {
        let entropy = entropy
        let indexer = indexer
        let stations = stations
        let rules = rules
        let time = UTCInstant(microseconds: database.lastCommit.time)
        return try await translating {
            try await self.database.read(readClass, snapshot: snapshot) { connection in
                try body(
                    SQLUnitOfWork(
                        connection: connection, transaction: nil, time: time, entropy: entropy, access: access,
                        rules: rules, indexer: indexer, stations: stations))
            }
        }
    }

    /// A read of a port that has no units of its own.
    func reading<T: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> T) async throws -> T {
        try await translating { try await self.database.read { try body($0) } }
    }

    /// A change of such a port, all or nothing.
    func changing<T: Sendable>(_ body: @escaping @Sendable (SQLTransaction) throws -> T) async throws -> T {
        try await translating { try await self.database.write(body) }
    }

    /// A unit that may end grants or clients: what is remembered of tokens is not true any more once it returns, also where
    /// nobody knows what became of it.
    func revoking<T: Sendable>(_ body: @escaping @Sendable (SQLTransaction) throws -> T) async throws -> T {
        defer { revokingUnits.add(1, ordering: .releasing) }
        return try await changing(body)
    }

    /// The one place where this layer's errors become the port's.
    func translating<T: Sendable>(_ body: () async throws -> T) async throws -> T {
        do { return try await body() } catch let error as SQLStoreError {
            let code: StoreError.Code =
                switch error.code {
                case .unavailable, .busy, .overloaded, .timeout, .locked, .schema: .unavailable
                case .throttled: .throttled
                case .costly: .costly
                case .full: .full
                case .constraint: .conflict
                case .value, .statement: .misuse
                case .unacceptable: .unacceptable
                case .corrupt, .unopened: .corrupt
                case .failed: .failed
                case .closed: .closed
                }
            throw StoreError(code, error.cause.map { "\(error.message) (\($0))" } ?? error.message)
        }
    }
}
