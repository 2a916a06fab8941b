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
        // The same day in another calendar is not known here.
        if !Coercion.isSame(.patientBirthDate, dataSet, result) {
            for tag in Self.ofBirthDate { result.remove(tag) }
        }
        if isOfAnother { for tag in Self.ofPerson { result.remove(tag) } }
        if isOfAnotherRequest { result.remove(.requestAttributesSequence) }

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

    /// In an alternative calendar, and which that is.
    private static let ofBirthDate = [Tag(0x0010, 0x0033), Tag(0x0010, 0x0035)]

    /// What is of a person, their visits and trials, and in no record here: of another one, nothing of it stays. What was
    /// observed of a body, such as its age and weight, is the object's own. PS3.3 §C.7.1.1, §C.7.1.3, §C.7.2.2, §C.2.2 to
    /// §C.2.4, §C.3.
    private static let ofPerson: [Tag] =
        [Tag(0x0008, 0x1120)]
        // Groups, names to use, death, plan, gender, language; other ids and names, insurance, rank, photograph.
        + [
            0x0011, 0x0014, 0x0026, 0x0027, 0x0032, 0x0034, 0x0041, 0x0043, 0x0050, 0x0101, 0x1000, 0x1001, 0x1002,
            0x1005, 0x1040, 0x1050, 0x1060, 0x1080, 0x1081, 0x1090, 0x1100,
            // Alerts and allergies, where they live, how to call them, of which group, who answers for them, remarks.
            0x2000, 0x2110, 0x2150, 0x2152, 0x2154, 0x2155, 0x2160, 0x2161, 0x2162, 0x2180, 0x21F0, 0x2297, 0x2298,
            0x2299, 0x4000,
        ].map { Tag(0x0010, $0) } + [0x0040, 0x0042].map { Tag(0x0012, $0) }
        // Admission, needs, episode, whereabouts.
        + [0x0010, 0x0014, 0x0050, 0x0060, 0x0062, 0x0064, 0x0300, 0x0400].map { Tag(0x0038, $0) }
    private static let touched: [Tag] =
        [
            .accessionNumber, .issuerOfAccessionNumberSequence, .patientName, .patientID, .issuerOfPatientID,
            .typeOfPatientID, .issuerOfPatientIDQualifiersSequence, .patientBirthDate, .patientSex,
            .requestAttributesSequence,
        ] + ofBirthDate + ofPerson

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
