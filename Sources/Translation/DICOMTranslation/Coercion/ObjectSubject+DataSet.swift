import DICOMData
import Workflow

extension ObjectSubject {
    /// A data set that says whose it is as the site knows it, and in Original Attributes Sequence (0400,0561) what it said
    /// before; the same one where it says so already. PS3.18 §10.4, PS3.3 §C.12.1.1.9.
    ///
    /// Where the character set of the data set lacks a character of the name, all its text goes to UTF-8. Where some of
    /// that text lies elsewhere, in the character set of its sender, such a character becomes `?` instead.
    ///
    /// - Parameter source: the sender's AE title or client id.
    package func stated(in dataSet: DataSet, source: String?) -> DataSet {
        var result = dataSet
        put(.patientName, name, &result)
        put(.patientBirthDate, birthDate, &result)
        put(.patientSex, sex, &result)
        if let number {
            put(.patientID, number.value, &result)
            if let namespace = number.issuer?.namespace {
                put(.issuerOfPatientID, namespace, &result)
            } else {
                result.remove(.issuerOfPatientID)
            }
            result.remove(.typeOfPatientID)
            put(.issuerOfPatientIDQualifiersSequence, Self.universal(number.issuer), &result)
        }
        if let accession {
            put(.accessionNumber, accession.value, &result)
            var issuer = Self.universal(accession.issuer)
            if let namespace = accession.issuer?.namespace {
                var named = issuer ?? DataSet()
                named.set(.localNamespaceEntityID, string: namespace)
                issuer = named
            }
            put(.issuerOfAccessionNumberSequence, issuer, &result)
        }
        if isOfAnother { for tag in Self.ofPerson { result.remove(tag) } }

        let changed = Self.touched.filter { !Coercion.isSame($0, dataSet, result) }
        guard !changed.isEmpty else { return dataSet }
        let previous = changed.sorted().compactMap { dataSet[$0] }
        guard !previous.isEmpty else { return result }
        let origin = Coercion.Origin(
            system: "HILUM", source: source ?? "", secondsSince1970: Int(since.microseconds / 1_000_000))
        let record = Coercion.record(previous, of: dataSet, origin, reason: isOfAnother ? "CORRECT" : "COERCE")
        result.set(
            .originalAttributesSequence, .SQ, items: result.items(.originalAttributesSequence) + [record])
        return result
    }

    /// What is of a person and in no record here: of another one, nothing of it stays. What was observed of a body, such
    /// as its age and weight, is the object's own. PS3.3 §C.7.1.1, §C.2.3.
    private static let ofPerson: [Tag] = [
        .patientBirthTime, .otherPatientIDs, .otherPatientNames, .otherPatientIDsSequence, Tag(0x0010, 0x1005),
        .patientAddress, .patientMotherBirthName, Tag(0x0010, 0x2154), Tag(0x0010, 0x2155), .patientReligiousPreference,
        .ethnicGroup, .occupation, Tag(0x0010, 0x0050), Tag(0x0010, 0x1090),
    ]
    private static let touched: [Tag] =
        [
            .accessionNumber, .issuerOfAccessionNumberSequence, .patientName, .patientID, .issuerOfPatientID,
            .typeOfPatientID, .issuerOfPatientIDQualifiersSequence, .patientBirthDate, .patientSex,
        ] + ofPerson

    /// Nil for what stays.
    private func put(_ tag: Tag, _ value: String?, _ dataSet: inout DataSet) {
        guard let value else { return }
        if value.isEmpty { return dataSet.setEmpty(tag) }
        let characterSet = dataSet.characterSet
        guard characterSet.encode(value) == nil, Self.hasTextElsewhere(dataSet) else {
            return dataSet.set(tag, string: value)
        }
        dataSet.set(
            tag,
            string: String(
                String.UnicodeScalarView(
                    value.unicodeScalars.map { characterSet.encode(String($0)) == nil ? "?" : $0 })))
    }

    private func put(_ tag: Tag, _ item: DataSet?, _ dataSet: inout DataSet) {
        if let item { dataSet.set(tag, .SQ, items: [item]) } else { dataSet.remove(tag) }
    }

    /// HL7v2 Hierarchic Designator Macro without the local name. PS3.3 §10.14, §10.15.
    private static func universal(_ issuer: UnknownAuthority?) -> DataSet? {
        guard let id = issuer?.universalID else { return nil }
        var item = DataSet()
        item.set(.universalEntityID, string: id)
        if let type = issuer?.universalIDType { item.set(.universalEntityIDType, string: type) }
        return item
    }

    /// Whether text of the data set, or of an item, was left in a file.
    private static func hasTextElsewhere(_ dataSet: DataSet) -> Bool {
        dataSet.elements.contains { element in
            if case .external = element.value { return element.vr.usesSpecificCharacterSet }
            return element.items?.contains(where: hasTextElsewhere) ?? false
        }
    }
}
