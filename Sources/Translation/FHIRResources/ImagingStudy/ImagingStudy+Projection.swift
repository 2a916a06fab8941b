import FHIRModel
import Workflow

/// ImagingStudy as the domain sees a stored study. FHIR R4 imagingstudy.html and its DICOM mapping.
enum ImagingStudyProjection {
    static let type = "ImagingStudy"
    static let owned = [
        "identifier", "status", "modality", "subject", "encounter", "started", "basedOn", "referrer", "endpoint",
        "numberOfSeries", "numberOfInstances", "procedureCode", "description", "series",
    ]

    /// One series with the instances it lists.
    struct SeriesContent {
        var series: Series
        var instances: [Instance]
    }

    /// `series` are those that are not in quarantine. `offset` gives the zone of a site-local time, for example `+01:00`.
    /// Of a study that an archive has too, `isArchived`, it is said that it is here now.
    static func project(
        _ study: Study, patientID: EntityID, orders: [ImagingOrder], series: [SeriesContent], endpoint: EntityID,
        isArchived: Bool = false, offset: (String, String) -> String?
    ) -> JSONValue {
        let attributes = study.attributes
        let identifiers = identifiers(study.studyInstanceUID, attributes, orders)
        let modalities = Set(series.compactMap(\.series.attributes.modality)).sorted()
        let visit = orders.compactMap(\.visitID).first
        return Datatypes.object([
            ("resourceType", .string(type)),
            ("id", .string(study.id.value)),
            ("extension", isArchived ? .array([availability("ONLINE")]) : nil),
            ("identifier", .array(identifiers)),
            ("status", "available"),
            ("modality", Datatypes.array(modalities.map(modality))),
            ("subject", Datatypes.reference("Patient", patientID)),
            ("encounter", visit.map { Datatypes.reference("Encounter", $0) }),
            ("started", started(attributes.studyDate, attributes.studyTime, attributes.timezoneOffset, offset)),
            ("basedOn", Datatypes.array(orders.map { Datatypes.reference("ServiceRequest", $0.id) })),
            ("referrer", referrer(attributes)),
            ("endpoint", .array([Datatypes.reference("Endpoint", endpoint)])),
            ("numberOfSeries", JSONValue(series.count)),
            ("numberOfInstances", JSONValue(series.reduce(0) { $0 + $1.instances.count })),
            (
                "procedureCode",
                Datatypes.array(
                    (attributes.procedures ?? []).compactMap { Datatypes.concept(CodedConcept(codings: [$0])) })
            ),
            ("description", Datatypes.string(attributes.studyDescription)),
            (
                "series",
                Datatypes.array(
                    series.map {
                        projectSeries(
                            $0.series.seriesInstanceUID, $0.series.attributes, count: $0.instances.count,
                            $0.instances, zone: attributes.timezoneOffset, offset: offset)
                    })
            ),
        ])
    }

    static func identifiers(_ uid: String, _ attributes: StudyAttributes, _ orders: [ImagingOrder]) -> [JSONValue] {
        var identifiers = [Datatypes.uidIdentifier(uid)]
        var accessions: [Identifier] = orders.compactMap(\.accession)
        if accessions.isEmpty, let value = attributes.accessionNumber, let system = attributes.accessionSystem {
            accessions = [Identifier(system: system, value: value)]
        }
        for var accession in accessions {
            accession.kind = .accession
            let value = Datatypes.identifier(accession)
            if !identifiers.contains(value) { identifiers.append(value) }
        }
        return identifiers
    }

    static func referrer(_ attributes: StudyAttributes) -> JSONValue? {
        personName(attributes.referringPhysicianName).map { name in
            Datatypes.object([("type", "Practitioner"), ("display", .string(name))])
        }
    }

    /// - Parameters:
    ///   - count: of its instances; nil where that is not known.
    ///   - instances: those that are listed.
    static func projectSeries(
        _ uid: String, _ attributes: SeriesAttributes, count: Int?, _ instances: [Instance] = [], zone: String?,
        offset: (String, String) -> String?
    ) -> JSONValue {
        var performers: [JSONValue] = []
        for (name, code) in [(attributes.performingPhysicianName, "PPRF"), (attributes.operatorsName, "SPRF")] {
            guard let display = personName(name) else { continue }
            let function = CodedConcept.Coding(
                system: "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", code: code)
            performers.append(
                Datatypes.object([
                    ("function", Datatypes.object([("coding", .array([Datatypes.coding(function)]))])),
                    ("actor", Datatypes.object([("type", "Practitioner"), ("display", .string(display))])),
                ]))
        }
        return Datatypes.object([
            ("uid", .string(uid)),
            ("number", attributes.seriesNumber.flatMap { $0 >= 0 ? JSONValue($0) : nil }),
            ("modality", modality(attributes.modality ?? "OT")),
            ("description", Datatypes.string(attributes.seriesDescription)),
            ("numberOfInstances", count.map { JSONValue($0) }),
            (
                "bodySite",
                attributes.anatomicRegion.map(Datatypes.coding)
                    ?? Datatypes.string(attributes.bodyPartExamined).map { Datatypes.object([("display", $0)]) }
            ),
            ("laterality", laterality(attributes.laterality)),
            ("started", started(attributes.seriesDate, attributes.seriesTime, zone, offset)),
            ("performer", Datatypes.array(performers)),
            (
                "instance",
                Datatypes.array(
                    instances.map { instance in
                        Datatypes.object([
                            ("uid", .string(instance.sopInstanceUID)),
                            (
                                "sopClass",
                                Datatypes.object([
                                    ("system", "urn:ietf:rfc:3986"),
                                    ("code", .string("urn:oid:" + instance.sopClassUID)),
                                ])
                            ),
                            ("number", instance.instanceNumber.flatMap { $0 >= 0 ? JSONValue($0) : nil }),
                        ])
                    })
            ),
        ])
    }

    static func modality(_ code: String) -> JSONValue {
        Datatypes.object([("system", .string(Datatypes.dicomSystem)), ("code", .string(code))])
    }

    private static func laterality(_ code: String?) -> JSONValue? {
        switch code {
        case "L": Datatypes.coding(.init(system: "http://snomed.info/sct", code: "7771000", display: "Left"))
        case "R": Datatypes.coding(.init(system: "http://snomed.info/sct", code: "24028007", display: "Right"))
        case "B": Datatypes.coding(.init(system: "http://snomed.info/sct", code: "51440002", display: "Right and left"))
        default: nil
        }
    }

    /// A PN value as people write it: given names before the family name. PS3.5 §6.2.1.
    static func personName(_ text: String?) -> String? {
        guard let group = text?.split(separator: "=", omittingEmptySubsequences: false).first else { return nil }
        let parts = group.split(separator: "^", omittingEmptySubsequences: false).map(String.init)
        func part(_ index: Int) -> String { index < parts.count ? parts[index] : "" }
        let name = [part(3), part(1), part(2), part(0), part(4)].filter { !$0.isEmpty }.joined(separator: " ")
        return name.isEmpty ? nil : name
    }

    /// DA and TM as a FHIR dateTime; nil when the date is not a date. A time whose zone nobody knows is left out.
    static func started(_ date: String?, _ time: String?, _ zone: String?, _ offset: (String, String) -> String?)
        -> JSONValue?
    {
        guard let date, date.utf8.count == 8 else { return nil }
        let day8 = "\(date.prefix(4))-\(date.dropFirst(4).prefix(2))-\(date.suffix(2))"
        guard FHIRDateTime(day8, as: .date) != nil else { return nil }
        guard let time else { return .string(day8) }
        let digits = String(time.prefix { $0.isNumber })
        guard digits.utf8.count >= 4, let hour = Int(digits.prefix(2)), hour < 24,
            let minute = Int(digits.dropFirst(2).prefix(2)),
            minute < 60, let second = Int(digits.utf8.count >= 6 ? digits.dropFirst(4).prefix(2) : "0"), second < 60
        else { return .string(day8) }
        let clock =
            "\(digits.prefix(2)):\(digits.dropFirst(2).prefix(2)):\(digits.utf8.count >= 6 ? String(digits.dropFirst(4).prefix(2)) : "00")"
        var suffix: String?
        if let zone, zone.utf8.count == 5, zone.first == "+" || zone.first == "-" {
            suffix = "\(zone.prefix(3)):\(zone.suffix(2))"
        } else {
            suffix = offset(date, digits)
        }
        let whole = suffix.map { "\(day8)T\(clock)\($0)" } ?? day8
        return .string(FHIRDateTime(whole) == nil ? day8 : whole)
    }
}
