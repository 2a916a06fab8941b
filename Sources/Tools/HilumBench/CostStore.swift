import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import SQLStore
import Workflow

/// Fills a store with resources and studies of which every number is known beforehand: the same at each size are the
/// hits of the searches in ``CostSearch``, everything else grows.
///
/// Deterministic: what a resource holds follows from its number and the size alone.
struct CostStore {
    /// Hits of each search for something rare.
    static let hits = 20
    /// Resources of one unit of work.
    private static let unit = 500
    /// Seconds from the first to the last observation: ten years from 2014 on.
    private static let span = 315_000_000
    private static let start = UTCInstant(microseconds: 1_388_534_400_000_000)

    /// Resources of a type, and studies and steps where `studies` does not say less.
    let size: Int
    let store: RelationalStore
    private let access = AccessContext.server(requestID: "costs")

    private struct Numbers: Entropy {
        func bytes(_ count: Int) -> [UInt8] {
            var generator = SystemRandomNumberGenerator()
            return (0..<count).map { _ in UInt8.random(in: 0 ... .max, using: &generator) }
        }
    }

    init(size: Int, location: SQLDatabaseConfiguration.Location) async throws {
        self.size = size
        var configuration = SQLDatabaseConfiguration(location)
        configuration.isServer = false
        store = RelationalStore(
            database: try await SQLDatabase(configuration, migrations: Migrations.all), entropy: Numbers(),
            observers: [])
    }

    /// Fills the store and lets it gather statistics.
    /// - Returns: the time before the last ``hits`` observations were written, as `_lastUpdated` reads it.
    func fill(studies: Int) async throws -> String {
        // Of an empty store nothing has to be made anew.
        while try await store.upkeepStep() {}
        try await put(size, "Patient") { patient($0) }
        try await put(size - Self.hits, "Observation") { observation($0) }
        // As many current conditions at each size, beside ever more old versions.
        let current = min(size, 1_000)
        for round in 0..<max(1, min(size, 100_000) / current) {
            try await put(current, "Condition") { condition($0, round) }
        }
        try await fillStudies(studies)
        try await fillWorklist(studies)
        let before = try await store.snapshot().time
        try await put(from: size - Self.hits, size, "Observation") { observation($0) }
        while try await store.upkeepStep() {}
        return FHIRDateTime.instantText(microseconds: before.microseconds + 1_000)
    }

    private func put(
        from first: Int = 0, _ end: Int, _ type: String, _ text: @escaping @Sendable (Int) -> String
    ) async throws {
        for start in stride(from: first, to: end, by: Self.unit) {
            let numbers = start..<min(start + Self.unit, end)
            try await (store as any ResourceStore).write(access) { unit in
                for number in numbers {
                    let document = try JSONDocument(parsing: text(number))
                    try unit.putResource(type, "r\(number)", document, method: .update)
                }
            }
        }
    }

    // MARK: Resources

    private func patient(_ number: Int) -> String {
        let family = number < Self.hits ? "Zimmer" : "Fam\(number % 5_000)"
        let day = Self.date(number % 20_000 * 86_400 - 30 * 365 * 86_400).prefix(10)
        return """
            {"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":"M\(number)"}],"active":true,\
            "name":[{"family":"\(family)","given":["G\(number % 97)"]}],"gender":"\(number % 2 == 0 ? "male" : "female")",\
            "birthDate":"\(day)","address":[{"city":"Town\(number % 300)","postalCode":"\(10_000 + number % 9_000)"}]}
            """
    }

    /// Whether an observation is one of the rare ones, which lie evenly among all.
    private func isRare(_ number: Int) -> Bool {
        number % (size / Self.hits) == 0 && number / (size / Self.hits) < Self.hits
    }

    private func observation(_ number: Int) -> String {
        let code = isRare(number) ? "rare" : number % 10 == 3 ? "common" : "c\(number % 200)"
        // Each patient once, in another order.
        let patient = Int(Int64(number) * 7_919 % Int64(size))
        return """
            {"resourceType":"Observation","status":"\(number % 10 == 0 ? "amended" : "final")",\
            "category":[{"coding":[{"system":"urn:cat","code":"\(number % 3 == 0 ? "laboratory" : "imaging")"}]}],\
            "code":{"coding":[{"system":"urn:code","code":"\(code)"}]},"subject":{"reference":"Patient/r\(patient)"},\
            "effectiveDateTime":"\(Self.date(seconds(number)))",\
            "valueQuantity":{"value":\(Int(Int64(number) * 31 % Int64(size))).25,"unit":"u"}}
            """
    }

    private func condition(_ number: Int, _ round: Int) -> String {
        """
        {"resourceType":"Condition","code":{"coding":[{"system":"urn:code","code":"\(number < Self.hits ? "rare" : "c\(number % 50)")"}]},\
        "subject":{"reference":"Patient/r\(number)"},"onsetDateTime":"\(Self.date(number * 86_400).prefix(10))",\
        "note":[{"text":"round \(round)"}]}
        """
    }

    /// Seconds of an observation behind the start.
    private func seconds(_ number: Int) -> Int { number * (Self.span / size) }

    /// The bounds of a time with ``hits`` observations, in the middle of all.
    var week: (from: String, to: String) {
        (Self.date(seconds(size / 2)), Self.date(seconds(size / 2 + Self.hits)))
    }

    /// The day on which 24 studies were made and 24 steps are due, at each size. DICOM DA.
    static let day = String(date(20 * 86_400).prefix(10).filter { $0 != "-" })

    private static func date(_ seconds: Int) -> String {
        String(FHIRDateTime.instantText(microseconds: start.microseconds + Int64(seconds) * 1_000_000).prefix(19)) + "Z"
    }

    /// Rare on the first ``hits``, else one of two.
    private static func modality(_ number: Int) -> String {
        number < hits ? "PT" : number % 2 == 0 ? "CT" : "MR"
    }

    // MARK: Worklist

    /// One order of one step that is due, for a patient of its own, for each number.
    private func fillWorklist(_ count: Int) async throws {
        for start in stride(from: 0, to: count, by: Self.unit) {
            let numbers = start..<min(start + Self.unit, count)
            try await (store as any WorkflowStore).write(access) { unit in
                for number in numbers { try Self.saveOrder(number, in: unit) }
            }
        }
    }

    private static func saveOrder(_ number: Int, in unit: any UnitOfWork) throws {
        let patient = EntityID("p\(number)")
        try unit.save(
            Patient(
                id: patient, identifiers: [Identifier(system: "urn:mrn", value: "P\(number)", kind: .medicalRecord)],
                names: [
                    HumanName(
                        family: number < hits ? "Zimmer" : "Fam\(number % 5_000)",
                        given: [number < hits ? "Anna" : "G\(number % 97)"])
                ], birthDate: PartialDateTime("1960-05-04"), sex: .female))
        try unit.save(
            ImagingOrder(
                id: EntityID("o\(number)"), patientID: patient,
                placer: Identifier(system: "urn:placer", value: "O\(number)", kind: .placer),
                accession: Identifier(system: "urn:accession", value: "A\(number)", kind: .accession),
                studyInstanceUID: "1.2.4.\(number)", status: .active, code: CodedConcept(text: "Examination"),
                steps: [
                    ScheduledProcedureStep(
                        id: EntityID("t\(number)"), stepID: "S\(number)", modality: modality(number),
                        stationAETitle: "STATION\(number % 8)",
                        scheduledStart: PartialDateTime(String(date(number * 3_600).dropLast())))
                ]))
    }

    // MARK: Studies

    /// One study of one series and object for each number, without its file: QIDO-RS reads none.
    private func fillStudies(_ count: Int) async throws {
        for start in stride(from: 0, to: count, by: Self.unit) {
            let numbers = start..<min(start + Self.unit, count)
            try await (store as any WorkflowStore).write(access) { unit in
                for number in numbers { try Self.saveStudy(number, in: unit) }
            }
        }
    }

    private static func saveStudy(_ number: Int, in unit: any UnitOfWork) throws {
        let (study, series, object) = ("1.2.3.\(number)", "1.2.3.\(number).1", "1.2.3.\(number).1.1")
        var ofStudy = StudyAttributes()
        ofStudy.patientID = "P\(number)"
        ofStudy.patientName = number < hits ? "ZIMMER^ANNA" : "FAM\(number % 5_000)^G\(number % 97)"
        ofStudy.studyDate = String(date(number * 3_600).prefix(10).filter { $0 != "-" })
        ofStudy.accessionNumber = "A\(number)"
        var ofSeries = SeriesAttributes()
        ofSeries.modality = modality(number)
        ofSeries.patientID = ofStudy.patientID
        let instance = Instance(
            studyInstanceUID: study, seriesInstanceUID: series, sopInstanceUID: object,
            sopClassUID: "1.2.840.10008.5.1.4.1.1.2", instanceNumber: 1, transferSyntaxUID: "1.2.840.10008.1.2.1",
            rows: 2, columns: 3, bitsAllocated: 16, numberOfFrames: 1, blobID: BlobID("cost-\(number)"), size: 100,
            dataSetOffset: 10, pixelDataOffset: 50, pixelDataLength: -1, receivedAt: Self.start,
            receivedFrom: "BENCH")
        let link = Reconciliation.unscheduled(patientID: EntityID("p\(number)"))
        try unit.save(
            Study(
                id: EntityID("s\(number)"), studyInstanceUID: study, reconciliation: link, attributes: ofStudy,
                updatedAt: Self.start))
        try unit.save(
            Series(
                studyInstanceUID: study, seriesInstanceUID: series, reconciliation: link, attributes: ofSeries,
                updatedAt: Self.start))
        try unit.insert(
            ReceivedInstance(
                instance: instance, study: ofStudy, series: ofSeries, header: [], bulk: [], frameIndex: []))
    }
}
