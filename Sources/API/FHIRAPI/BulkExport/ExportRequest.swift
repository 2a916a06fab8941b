import FHIRModel
import FHIRResources
import FHIRSearch
import HTTPSupport
import Workflow

/// The parameters of a kick-off, however they were sent. Bulk Data 2.0 and 3.0 §Bulk Data Kick-off Request.
///
/// A repeated parameter is one with its values joined by commas. What is not supported, or no value of its parameter,
/// is refused, and passed over where the client asks for lenient handling.
struct ExportRequest {
    /// In the order in which they were named, each once; empty where `_type` was not sent.
    private(set) var types: [String] = []
    private(set) var namesTypes = false
    private(set) var since: UTCInstant?
    private(set) var until: UTCInstant?
    private(set) var filters: [ExportJob.TypeFilter] = []
    private(set) var elements: [String] = []
    /// Logical ids of `patient`, each once; nil where it was not sent.
    private(set) var patients: [String]?
    private var knownPatients: Set<String> = []
    private(set) var associated: Set<ExportJob.AssociatedData> = []
    /// Whether the DICOM objects of studies are asked for, and as which destination of the site gets them; nil for as they
    /// are stored.
    private(set) var withObjects = false
    private(set) var objectsFor: String?
    private(set) var organizedBy: String?
    private(set) var allowsPartialManifests = false
    /// What was passed over for a client that asks for lenient handling, at most ``noticesMax``.
    private(set) var notices: [String] = []

    /// As sent, and with the plus of a query that was not escaped.
    private static let outputFormats: Set<String> = [
        "application/fhir+ndjson", "application/fhir ndjson", "application/ndjson", "ndjson",
    ]
    private static let noticesMax = 100
    /// Our own value of `includeAssociatedData`, which begins with an underscore as such values do; behind a colon the
    /// destination whose de-identification is asked for.
    private static let objectsValue = "_DICOMObjects"
    /// Root elements that one kick-off may name.
    private static let elementsMax = 500
    /// What one kick-off may name.
    private static let filtersMax = 100
    private static let patientsMax = 10_000

    private let definitions: FHIRDefinitions
    private let parser: SearchQueryParser
    private let baseURL: String
    /// Nil where there are no DICOM objects to be had.
    private let deidentifications: Set<String>?
    let isLenient: Bool

    /// - Parameters:
    ///   - parameters: decoded, in order.
    ///   - mayNamePatients: whether `patient` has a meaning: in a POST of patient or group level.
    ///   - mayOrganize: whether there are patients by which it could be organised.
    ///   - deidentifications: the destinations as which DICOM objects may be had; nil where there are no objects.
    init(
        _ parameters: [(name: String, value: String)], parser: SearchQueryParser, definitions: FHIRDefinitions,
        baseURL: String, mayNamePatients: Bool, mayOrganize: Bool = false,
        deidentifications: Set<String>? = nil, isLenient: Bool
    ) throws {
        self.definitions = definitions
        self.parser = parser
        self.baseURL = baseURL
        self.deidentifications = deidentifications
        self.isLenient = isLenient
        for (name, value) in parameters {
            switch name {
            case "_outputFormat":
                guard Self.outputFormats.contains(value) else {
                    throw InteractionError(.unsupported, "_outputFormat must be application/fhir+ndjson")
                }
            case "_since": since = try instant(value, name)
            case "_until": until = try instant(value, name)
            case "_type":
                namesTypes = true
                for type in value.split(separator: ",").map(String.init) where !types.contains(type) {
                    if definitions.isResourceType(type) {
                        types.append(type)
                    } else {
                        try refuse("_type names what is no resource type")
                    }
                }
            case "_typeFilter": for piece in pieces(value) { try addFilter(piece) }
            case "_elements": for piece in value.split(separator: ",") { try addElement(String(piece)) }
            case "patient" where mayNamePatients: try addPatient(value)
            case "includeAssociatedData": for name in value.split(separator: ",") { try addAssociated(String(name)) }
            case "organizeOutputBy":
                guard ExportScope.organizers.contains(value), mayOrganize else {
                    try refuse("organizeOutputBy is Patient, of an export of patients or of a group")
                    continue
                }
                organizedBy = value
            case "allowPartialManifests":
                guard ["true", "false"].contains(value) else {
                    throw InteractionError(.malformed, "allowPartialManifests is true or false")
                }
                allowsPartialManifests = value == "true"
            default: try refuse("the parameter \(parser.quoted(name)) is not supported by this $export")
            }
        }
        for filter in filters where namesTypes && !types.contains(filter.type) {
            try refuse("_typeFilter is about \(filter.type), which _type does not name")
        }
        if withObjects, namesTypes, !types.contains("ImagingStudy") {
            try refuse("\(Self.objectsValue) is of ImagingStudy, which _type does not name")
            withObjects = false
        }
        // What goes beside is of a type, too.
        if !associated.isEmpty, namesTypes, !types.contains("Provenance") { types.append("Provenance") }
    }

    /// Throws unless the client asked for what is not supported to be passed over.
    private mutating func refuse(_ words: String) throws {
        if !isLenient { throw InteractionError(.unsupported, words) }
        if notices.count < Self.noticesMax, !notices.contains(words) { notices.append(words) }
    }

    /// Takes a value of `includeAssociatedData`; of those that contradict each other the one that asks for more counts.
    private mutating func addAssociated(_ text: String) throws {
        if let deidentifications, text.hasPrefix(Self.objectsValue) {
            let rest = text.dropFirst(Self.objectsValue.count)
            if rest.isEmpty {
                withObjects = true
                return
            }
            if rest.first == ":", deidentifications.contains(String(rest.dropFirst())) {
                // Of those that contradict each other, the one that takes out what identifies.
                (withObjects, objectsFor) = (true, objectsFor ?? String(rest.dropFirst()))
                return
            }
            // Never passed over: the client would get what identifies.
            throw InteractionError(
                .unsupported, "no destination of this name de-identifies; see `routing:` of the site")
        }
        guard let data = ExportJob.AssociatedData(rawValue: text) else {
            let known = ExportJob.AssociatedData.allCases.map(\.rawValue).joined(separator: ", ")
            return try refuse("includeAssociatedData is of \(known)")
        }
        associated.insert(data)
        if associated.contains(.relevantProvenance) { associated.remove(.latestProvenance) }
    }

    private func instant(_ text: String, _ name: String) throws -> UTCInstant {
        guard let time = FHIRDateTime(text, as: .instant) else {
            throw InteractionError(.malformed, "\(name) must be an instant, such as 2026-11-21T05:43:24Z")
        }
        return UTCInstant(microseconds: time.range().lower)
    }

    /// The filters of one value: a comma parts two of them only where a type and `?` follow it, since commas stand for
    /// OR within a filter, where some clients escape them once more than others.
    private func pieces(_ value: String) -> [String] {
        var pieces: [String] = []
        for part in value.split(separator: ",", omittingEmptySubsequences: false) {
            let name = part.prefix { $0 != "?" }
            if pieces.isEmpty || (name.count < part.count && definitions.isResourceType(String(name))) {
                pieces.append(String(part))
            } else {
                pieces[pieces.count - 1] += "," + part
            }
        }
        return pieces
    }

    /// Takes `Type?query`. Bulk Data 2.0 §_typeFilter: a search in the context of one type, without parameters that change
    /// what a result looks like.
    private mutating func addFilter(_ text: String) throws {
        guard let mark = text.firstIndex(of: "?"), definitions.isResourceType(String(text[..<mark])) else {
            return try refuse("_typeFilter is Type?query, such as ImagingStudy?modality=CT")
        }
        let type = String(text[..<mark])
        let pairs = try QueryParameters(String(text[text.index(after: mark)...]), plusIsSpace: false)
        let parameters = pairs.map { ExportJob.TypeFilter.Parameter(name: $0.name, value: $0.value) }
        let filter = ExportJob.TypeFilter(type: type, parameters: parameters)
        guard try ExportScope.search(filter, parser) != nil else {
            return try refuse("_typeFilter takes searches of \(type) alone: no chains, and nothing about the result")
        }
        if filters.contains(filter) { return }
        guard filters.count < Self.filtersMax else {
            throw InteractionError(.unsupported, "more than \(Self.filtersMax) filters in _typeFilter")
        }
        filters.append(filter)
    }

    /// Takes `Type.element` or `element`: root elements alone.
    private mutating func addElement(_ text: String) throws {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { String($0) }
        let type = parts.count == 2 ? parts[0] : nil
        guard parts.count <= 2, let name = parts.last, !name.isEmpty, type.map(definitions.isResourceType) ?? true
        else { return try refuse("_elements names root elements: Type.element or element") }
        let isKnown =
            type.map { definitions.type(named: $0)?.property(name) != nil }
            ?? definitions.resourceTypes.contains { definitions.type(named: $0)?.property(name) != nil }
        guard isKnown else { return try refuse("_elements names an element that R4 does not have") }
        if elements.contains(text) { return }
        guard elements.count < Self.elementsMax else {
            throw InteractionError(.unsupported, "more than \(Self.elementsMax) elements in _elements")
        }
        elements.append(text)
    }

    private mutating func addPatient(_ text: String) throws {
        guard case .relative("Patient", let id, nil) = Reference(text).relative(to: baseURL) else {
            throw InteractionError(.malformed, "patient must be a reference to a Patient, such as Patient/1")
        }
        guard knownPatients.insert(id).inserted else { return }
        guard knownPatients.count <= Self.patientsMax else {
            throw InteractionError(.unsupported, "more than \(Self.patientsMax) patients")
        }
        if patients == nil { patients = [] }
        patients?.append(id)
    }

    /// The parameters of a POST. Bulk Data 2.0: a Parameters resource, each parameter by name with its value.
    static func parameters(
        of document: JSONDocument, _ parser: SearchQueryParser
    ) throws -> [(name: String, value: String)] {
        guard document["resourceType"]?.isString("Parameters") == true else {
            throw InteractionError(.malformed, "the body of $export is a Parameters resource")
        }
        var pairs: [(name: String, value: String)] = []
        for parameter in JSONValue(document)["parameter"]?.array ?? [] {
            guard let name = parameter["name"]?.string else {
                throw InteractionError(.malformed, "a parameter of $export has no name")
            }
            let text =
                parameter["valueReference"]?["reference"]?.string
                ?? ["valueString", "valueCode", "valueInstant", "valueUri", "valueDateTime"].lazy
                .compactMap { parameter[$0]?.string }.first
                ?? parameter["valueBoolean"]?.bool.map { String($0) }
            guard let text else {
                throw InteractionError(
                    .malformed, "the parameter \(parser.quoted(name)) of $export has no value that it takes")
            }
            pairs.append((name, text))
        }
        return pairs
    }
}
