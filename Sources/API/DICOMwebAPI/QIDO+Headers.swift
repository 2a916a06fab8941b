import Access
import DICOMData
import DICOMTranslation
import HTTPSupport
import Hummingbird
import Workflow

/// Keys that the index does not have: they are matched with the header of the first instance of each study or series that
/// the other keys leave, of an instance with its own. PS3.18 §8.3.4.1.
extension DICOMwebRoutes {
    /// Headers that one search reads.
    static let matchedHeadersMax = 500
    /// Bytes of the headers that one search matches, or takes all attributes from: some tens of thousands of usual ones,
    /// and some tens of those of images with thousands of frames.
    static let headerBytesMax = 64 << 20

    /// The page of a query whose matches must also meet `keys`. What lies in archives alone has no header here and is left
    /// out, which the caller is told. Throws `.malformed` where the other keys leave more than is looked at.
    ///
    /// - Parameter zone: what the query's dates and times are of; nil where they are compared as they were sent.
    func page(
        _ query: StudyQuery, matching keys: HeaderKeys, in zone: ZonedSearch?, _ request: APIRequest
    ) async throws -> (page: StudyMatches, isPartial: Bool) {
        var wide = query
        if let zone { wide.keys = zone.wide }
        (wide.limit, wide.offset) = (Self.matchedHeadersMax, 0)
        let candidates = try await index.studies(wide, access: request.access)
        guard !candidates.hasMore else {
            throw HTTPFailure(
                .malformed,
                "\(keys.name.prefix(64)) is matched with headers, of \(Self.matchedHeadersMax) matches at most, and the "
                    + "other keys leave more: narrow them")
        }
        var found: [StudyMatch] = []
        var bytes = 0
        for match in candidates.matches where zone?.holds(match) ?? true {
            try Task.checkCancellation()
            guard let stored = try await firstHeader(of: match, request) else { continue }
            bytes += stored.header.count
            guard bytes <= Self.headerBytesMax else {
                throw HTTPFailure(
                    .malformed,
                    "the headers that \(keys.name.prefix(64)) is matched with are too large: narrow the keys")
            }
            if keys.match(try StoredHeader(stored).dataSet) { found.append(match) }
        }
        let rest = found.dropFirst(query.offset)
        let page = Array(rest.prefix(query.limit))
        return (StudyMatches(matches: page, remaining: rest.count - page.count), archives != nil)
    }

    /// The header of a match's first instance.
    func firstHeader(of match: StudyMatch, _ request: APIRequest) async throws -> InstanceHeader? {
        try await index.searchedHeader(
            studyInstanceUID: match.study.studyInstanceUID, seriesInstanceUID: match.series?.seriesInstanceUID,
            sopInstanceUID: match.instance?.sopInstanceUID, access: request.access)
    }
}

/// Keys for headers: attributes by keyword or tag, private ones too, and such in items. PS3.18 §8.3.4.1.
struct HeaderKeys: Sendable {
    private let keys: WorkitemKeys
    /// Private creators that were given, by the block that the query's tags are of.
    private let creators: [(block: Tag, name: String)]
    /// Of the first key, for messages.
    let name: String
    /// The attributes that are asked by, of those in items the sequence: they are in the answer. PS3.18 §10.6.3.3.
    let tags: Set<Tag>

    /// Throws `.malformed` for a value that its VR does not allow, and for too many.
    init?(_ parameters: [QueryParameters.Parameter], isFuzzy: Bool = false) throws(HTTPFailure) {
        guard let first = parameters.first else { return nil }
        name = first.name
        var query = WorkitemQuery()
        var creators: [(block: Tag, name: String)] = []
        for parameter in parameters {
            try query.add(parameter)
            if let tag = Tag(hex: parameter.name), tag.isPrivateCreator {
                creators.append((tag, parameter.value))
            }
        }
        self.creators = creators
        tags = Set(query.identifier.elements.map(\.tag)).subtracting([.specificCharacterSet])
        do { keys = try WorkitemKeys(query.identifier, isFuzzy: isFuzzy) } catch {
            throw HTTPFailure(.malformed, "\(first.name.prefix(64)) has a value that its VR does not allow")
        }
    }

    /// Whether a header meets all keys.
    func match(_ header: DataSet) -> Bool { placed(header).map(keys.matches) ?? false }

    /// A header with the private blocks where the query has them; nil where it lacks one. A block is that of its creator,
    /// wherever in the group it lies; without a creator the tag is meant as it stands. PS3.5 §7.8.1.
    func placed(_ header: DataSet) -> DataSet? {
        guard !creators.isEmpty else { return header }
        var moved = header
        for (block, name) in creators {
            // Where the header has it, whatever was moved there before.
            let own = header.elements.first { element in
                element.tag.group == block.group && element.tag.isPrivateCreator
                    && header.strings(element).first == name
            }
            guard let own else { return nil }
            guard own.tag != block else { continue }
            moved.removeAll { $0.tag.group == block.group && $0.tag.element >> 8 == block.element }
            moved[block] = DataElement(block, own.vr, own.value)
            for element in header.elements
            where element.tag.group == block.group && element.tag.element >> 8 == own.tag.element {
                let tag = Tag(block.group, block.element << 8 | element.tag.element & 0xFF)
                moved[tag] = DataElement(tag, element.vr, element.value)
            }
        }
        return moved
    }
}

/// Attributes of the answer beyond those of the index. PS3.18 §8.3.4.3, §10.6.3.3.
struct IncludedFields: Sendable {
    /// Named one by one.
    var tags: Set<Tag> = []
    /// `all`: what there is of the level and of those above it.
    var isAll = false

    /// Patient, visit and study; PS3.3 §C.7.1.1, §C.7.2.
    private static let ofStudies = tags(
        """
        PatientName PatientID IssuerOfPatientID OtherPatientIDsSequence PatientBirthDate PatientBirthTime PatientSex
        PatientAge PatientSize PatientWeight PatientComments EthnicGroup Occupation AdditionalPatientHistory
        PatientSpeciesDescription PatientBreedDescription ResponsiblePerson ResponsibleOrganization
        PatientIdentityRemoved DeidentificationMethod StudyDate StudyTime StudyID StudyDescription AccessionNumber
        IssuerOfAccessionNumberSequence ReferringPhysicianName ReferringPhysicianIdentificationSequence
        ConsultingPhysicianName PhysiciansOfRecord NameOfPhysiciansReadingStudy RequestingService ProcedureCodeSequence
        ReasonForPerformedProcedureCodeSequence AdmittingDiagnosesDescription AdmissionID TimezoneOffsetFromUTC
        """)

    /// Series and equipment; PS3.3 §C.7.3.1, §C.7.5.1.
    private static let ofSeries = tags(
        """
        Modality SeriesNumber SeriesDescription SeriesDescriptionCodeSequence SeriesDate SeriesTime Laterality
        BodyPartExamined PatientPosition ProtocolName PerformingPhysicianName OperatorsName Manufacturer
        ManufacturerModelName DeviceSerialNumber SoftwareVersions StationName InstitutionName InstitutionAddress
        InstitutionalDepartmentName PerformedProcedureStepID PerformedProcedureStepStartDate
        PerformedProcedureStepStartTime PerformedProcedureStepEndDate PerformedProcedureStepEndTime
        PerformedProcedureStepDescription PerformedProtocolCodeSequence RequestAttributesSequence FrameOfReferenceUID
        PositionReferenceIndicator AnatomicRegionSequence
        """)

    private static func tags(_ keywords: String) -> Set<Tag> {
        Set(keywords.split { $0 == " " || $0 == "\n" }.compactMap { Tag(keyword: String($0)) })
    }

    /// An element without the values that are left in the file, in items too; nil for one that is such.
    static func atHand(_ element: DataElement) -> DataElement? {
        switch element.value {
        case .external: return nil
        case .bytes, .fragments: return element
        case .items(let items):
            let found = items.map { item in
                var item = item
                for element in item.elements {
                    switch element.value {
                    case .external, .items: item[element.tag] = atHand(element)
                    case .bytes, .fragments: continue
                    }
                }
                return item
            }
            return DataElement(element.tag, element.vr, .items(found))
        }
    }

    /// Of a header, what is wanted for an answer of a level.
    func wanted(of header: DataSet, at level: StudyQueryLevel) -> Set<Tag> {
        // A private attribute says nothing without its creator.
        var wanted = tags.union(tags.compactMap(\.privateCreatorTag))
        if isAll {
            switch level {
            case .study: wanted.formUnion(Self.ofStudies)
            case .series: wanted.formUnion(Self.ofStudies.union(Self.ofSeries))
            case .instance: wanted.formUnion(header.elements.map(\.tag))
            }
        }
        // That of the answer is its own.
        wanted.remove(.specificCharacterSet)
        return wanted
    }
}
