"""DIMSE and DICOMweb: DCMTK, pynetdicom and dicomweb-client, with pydicom's test files as the load."""

import io
import pathlib
import subprocess

import pydicom
from dicomweb_client.api import DICOMwebClient
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, build_context
from pynetdicom.sop_class import ModalityWorklistInformationFind, Verification

import dicom_compare
import dicom_files
from report import equal, expect

WADO = "PS3.18 §10.4"
NOT_ON_THE_WEB = {ImplicitVRLittleEndian, ExplicitVRBigEndian}


# pynetdicom


def associate(server, contexts, title="CLIENTS"):
    ae = AE(ae_title=title)
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 120
    ae.requested_contexts = contexts
    where = server.dimse
    association = ae.associate(where["host"], where["port"], ae_title=where["ae"], tls_args=server.dimse_tls())
    expect(association.is_established, "association not established")
    return association


def check_echo(report, server):
    def echo():
        association = associate(server, [build_context(Verification)])
        status = association.send_c_echo()
        association.release()
        equal(status.Status, 0, "C-ECHO status")

    report.check("pynetdicom", "C-ECHO", echo, "PS3.7 §9.1.5")

    def unknown_context():
        ae = AE(ae_title="CLIENTS")
        ae.add_requested_context("1.2.840.10008.99.99")
        where = server.dimse
        association = ae.associate(where["host"], where["port"], ae_title=where["ae"], tls_args=server.dimse_tls())
        accepted = association.is_established
        if accepted:
            association.abort()
        expect(not association.accepted_contexts, "an unknown abstract syntax was accepted")

    report.check("pynetdicom", "unknown abstract syntax is not accepted", unknown_context, "PS3.8 §9.3.3.2")

    def wrong_called_title():
        ae = AE(ae_title="CLIENTS")
        ae.add_requested_context(Verification)
        where = server.dimse
        association = ae.associate(where["host"], where["port"], ae_title="NOBODY", tls_args=server.dimse_tls())
        established = association.is_established
        if established:
            association.release()
        expect(not established and association.is_rejected, "an unknown called AE title was not rejected")

    report.check("pynetdicom", "unknown called AE title is rejected", wrong_called_title, "PS3.8 §9.3.4")


def send_by_c_store(report, server, samples):
    """Each sample in an association that proposes exactly its SOP class and transfer syntax."""
    stored = []
    for sample in samples:
        def store(sample=sample):
            association = associate(server, [build_context(sample.sop_class, sample.transfer_syntax)])
            try:
                expect(association.accepted_contexts, f"{sample.transfer_syntax.name} not accepted")
                data_set = pydicom.dcmread(io.BytesIO(sample.data))
                status = association.send_c_store(data_set)
                equal(f"{status.get('Status', 0xFFFF):04X}", "0000", "C-STORE status")
            finally:
                if association.is_established:
                    association.release()

        if report.check("c-store", sample.name, store, "PS3.4 §B.2.3"):
            stored.append(sample)
    return stored


def check_worklist_pynetdicom(report, server, accession):
    def find():
        keys = pydicom.Dataset()
        keys.PatientName = keys.PatientID = keys.StudyInstanceUID = keys.RequestedProcedureID = ""
        keys.AccessionNumber = accession
        step = pydicom.Dataset()
        step.Modality = step.ScheduledStationAETitle = step.ScheduledProcedureStepStartDate = ""
        step.ScheduledProcedureStepStartTime = step.ScheduledProcedureStepID = ""
        keys.ScheduledProcedureStepSequence = [step]
        association = associate(server, [build_context(ModalityWorklistInformationFind)])
        found, last = [], None
        for status, identifier in association.send_c_find(keys, ModalityWorklistInformationFind):
            last = status.Status
            if last in (0xFF00, 0xFF01):
                found.append(identifier)
        association.release()
        equal(last, 0, "final status")
        equal(len(found), 1, "worklist entries")
        expect(found[0].ScheduledProcedureStepSequence[0].Modality, "no Modality in the step")
        expect(found[0].StudyInstanceUID, "no Study Instance UID")
        return f"{len(found)} entry"

    report.check("pynetdicom", "MWL C-FIND by accession number", find, "PS3.4 §K.6.1")


# DCMTK


def tls_words(server):
    return ["+tla", "+cf", server.ca] if server.dimse.get("tls") else []


def dcmtk(server, tool, *words, timeout=120):
    where = server.dimse
    command = [tool, "-v", *tls_words(server), "-aet", "CLIENTS", "-aec", where["ae"], where["host"], str(where["port"])]
    done = subprocess.run(
        command + [str(w) for w in words], capture_output=True, text=True, errors="replace", timeout=timeout,
        env={"DCMDICTPATH": "/usr/share/libdcmtk17/dicom.dic", "PATH": "/usr/bin:/bin", "TCP_NODELAY": "1"})
    return done.returncode, done.stdout + done.stderr


PROPOSE = {
    "1.2.840.10008.1.2": "-xi", "1.2.840.10008.1.2.1": "-xe", "1.2.840.10008.1.2.2": "-xb",
    "1.2.840.10008.1.2.1.99": "-xd", "1.2.840.10008.1.2.4.50": "-xy", "1.2.840.10008.1.2.4.51": "-xx",
    "1.2.840.10008.1.2.4.70": "-xs", "1.2.840.10008.1.2.4.80": "-xt", "1.2.840.10008.1.2.4.81": "-xu",
    "1.2.840.10008.1.2.4.90": "-xv", "1.2.840.10008.1.2.4.91": "-xw", "1.2.840.10008.1.2.5": "-xr",
}


def check_dcmtk(report, server, files, folder, accession):
    def echo():
        code, text = dcmtk(server, "echoscu")
        equal(code, 0, f"echoscu: {text[-300:]}")

    report.check("dcmtk", "echoscu", echo, "PS3.7 §9.1.5")
    stored = []
    by_syntax = {}
    for name, path in files:
        syntax = str(pydicom.dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID)
        if len(by_syntax.setdefault(syntax, [])) < 3:
            by_syntax[syntax].append((name, path))
    for syntax, chosen in by_syntax.items():
        for name, path in chosen:
            if syntax not in PROPOSE:
                continue
            sample = dicom_files.relabelled(name, path, "dcmtk")
            file = pathlib.Path(folder) / "dcmtk.dcm"
            file.write_bytes(sample.data)

            def store(sample=sample, file=file, syntax=syntax):
                where = server.dimse
                done = subprocess.run(
                    ["storescu", "-v", "-R", PROPOSE[syntax], *tls_words(server), "-aet", "CLIENTS", "-aec",
                     where["ae"], where["host"], str(where["port"]), str(file)],
                    capture_output=True, text=True, errors="replace", timeout=60,
                    env={"DCMDICTPATH": "/usr/share/libdcmtk17/dicom.dic", "PATH": "/usr/bin:/bin", "TCP_NODELAY": "1"})
                text = done.stdout + done.stderr
                expect(done.returncode == 0 and "Status: Success" in text.replace("(", "").replace("0x0000: ", "")
                       or "Received Store Response (Success)" in text, text[-300:])

            if report.check("dcmtk", f"storescu {name}", store, "PS3.4 §B.2.3"):
                stored.append(sample)

    def worklist():
        code, text = dcmtk(
            server, "findscu", "-W", "-k", f"AccessionNumber={accession}", "-k", "PatientName", "-k", "PatientID",
            "-k", "StudyInstanceUID", "-k", "ScheduledProcedureStepSequence[0].Modality",
            "-k", "ScheduledProcedureStepSequence[0].ScheduledStationAETitle",
            "-k", "ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate")
        equal(code, 0, text[-300:])
        equal(text.count("Find Response: ") or text.count("Received Find Response"), 1, f"responses: {text[-400:]}")

    report.check("dcmtk", "findscu -W by accession number", worklist, "PS3.4 §K.6.1")

    def worklist_none():
        code, text = dcmtk(server, "findscu", "-W", "-k", "AccessionNumber=NOSUCH", "-k", "PatientName")
        equal(code, 0, text[-300:])
        expect("Find Response: 1" not in text, "an entry for an accession number that nobody gave")

    report.check("dcmtk", "findscu -W finds nothing for an unknown accession number", worklist_none, "PS3.4 §K.6.1")
    return stored


# DICOMweb


def web_client(server, backend):
    return DICOMwebClient(server.dicomweb, session=backend.session())


def send_by_stow(report, server, backend, samples):
    stored = []
    client = web_client(server, backend)
    for sample in samples:
        def store(sample=sample):
            answer = client.store_instances([pydicom.dcmread(io.BytesIO(sample.data))])
            expect(not answer.get("FailedSOPSequence"), f"failed: {answer.get('FailedSOPSequence')}")
            uids = [item.ReferencedSOPInstanceUID for item in answer.ReferencedSOPSequence]
            equal(uids, [sample.sop_instance], "ReferencedSOPInstanceUID")

        if report.check("stow", sample.name, store, "PS3.18 §10.5"):
            stored.append(sample)
    return stored


def retrieve_part10(session, url):
    """The one Part 10 file of a multipart answer, as bytes."""
    answer = session.get(
        url, headers={"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'}, timeout=60)
    equal(answer.status_code, 200, "status")
    kind = answer.headers["Content-Type"]
    expect(kind.startswith("multipart/related"), f"Content-Type {kind}")
    boundary = kind.split("boundary=")[1].split(";")[0].strip('"').encode()
    parts = answer.content.split(b"--" + boundary)
    expect(parts[-1].startswith(b"--"), "no closing boundary")
    equal(len(parts) - 2, 1, "parts")
    head, _, body = parts[1].partition(b"\r\n\r\n")
    expect(b"application/dicom" in head, "the part is not application/dicom")
    expect(body.endswith(b"\r\n"), "no line break before the boundary")
    return body[:-2]


def how(sample):
    return {"is_encapsulated": sample.transfer_syntax.is_encapsulated,
            "swap": sample.transfer_syntax == ExplicitVRBigEndian}


def compare(report, server, backend, samples, door):
    """Every element after retrieval of the instance and of its metadata, sample by sample."""
    session = backend.session()
    client = web_client(server, backend)
    elements = identical = 0
    for sample in samples:
        base = f"{server.dicomweb}/studies/{sample.study}/series/{sample.series}/instances/{sample.sop_instance}"

        def instance(sample=sample, base=base):
            nonlocal elements, identical
            data = retrieve_part10(session, base)
            found = pydicom.dcmread(io.BytesIO(data))
            # PS3.18 §8.7.3.5.2: Implicit VR Little Endian and Explicit VR Big Endian are not used on the web.
            converted = sample.transfer_syntax in NOT_ON_THE_WEB
            wanted = ExplicitVRLittleEndian if converted else sample.transfer_syntax
            equal(found.file_meta.TransferSyntaxUID, wanted, "transfer syntax")
            found.decode()
            different = dicom_compare.differences(sample.data_set, found, **how(sample))
            expect(not different, f"{len(different)} elements: {'; '.join(different[:5])}")
            elements += dicom_compare.count_elements(found)
            same = dicom_compare.raw_bytes_of_data_set(data) == dicom_compare.raw_bytes_of_data_set(sample.data)
            identical += same
            return "byte-identical" if same else "converted to Explicit VR Little Endian" if converted else "elements equal"

        report.check(f"wado-instance-{door}", sample.name, instance, WADO)

        def metadata(sample=sample):
            model = client.retrieve_instance_metadata(sample.study, sample.series, str(sample.sop_instance))
            different = dicom_compare.json_differences(
                sample.data_set, model, is_implicit=sample.transfer_syntax.is_implicit_VR, **how(sample))
            expect(not different, f"{len(different)} elements: {'; '.join(different[:5])}")

        report.check(f"wado-metadata-{door}", sample.name, metadata, "PS3.18 §10.4.1.1.2, Annex F")
    report.note(f"{door}: {len(samples)} instances retrieved, {elements} elements compared, {identical} data sets "
                "byte-identical to what was sent.")


def check_query(report, server, backend, sample):
    """QIDO-RS and the study and series levels of WADO-RS for one sample that is alone in its study."""
    client = web_client(server, backend)
    study, series, instance = sample.study, sample.series, str(sample.sop_instance)

    def value(entry, tag):
        return (entry.get(tag, {}).get("Value") or [None])[0]

    def studies():
        found = client.search_for_studies(search_filters={"StudyInstanceUID": study})
        equal(len(found), 1, "studies")
        equal(value(found[0], "0020000D"), study, "StudyInstanceUID")
        equal(value(found[0], "00201206"), 1, "NumberOfStudyRelatedSeries")
        equal(value(found[0], "00201208"), 1, "NumberOfStudyRelatedInstances")
        missing = [t for t in ("00080020", "00080030", "00080050", "00080061", "00080090", "00100010", "00100020",
                               "00100030", "00100040", "00200010") if t not in found[0]]
        expect(not missing, f"attributes that PS3.18 table 10.6.3-3 requires are missing: {missing}")

    report.check("qido", "studies by Study Instance UID, required attributes", studies, "PS3.18 §10.6.3.3")

    def all_series():
        found = client.search_for_series(study)
        equal([value(f, "0020000E") for f in found], [series], "SeriesInstanceUID")
        equal(value(found[0], "00201209"), 1, "NumberOfSeriesRelatedInstances")

    report.check("qido", "series of a study", all_series, "PS3.18 §10.6.3.3")

    def all_instances():
        found = client.search_for_instances(study, series)
        equal([value(f, "00080018") for f in found], [instance], "SOPInstanceUID")
        equal(value(found[0], "00080016"), str(sample.sop_class), "SOPClassUID")

    report.check("qido", "instances of a series", all_instances, "PS3.18 §10.6.3.3")

    def limit_and_offset():
        first = client.search_for_studies(limit=2)
        second = client.search_for_studies(limit=2, offset=2)
        equal((len(first), len(second)), (2, 2), "page sizes")
        uids = {value(f, "0020000D") for f in first + second}
        equal(len(uids), 4, "distinct studies on two pages")

    report.check("qido", "limit and offset", limit_and_offset, "PS3.18 §8.3.4.4")

    def wildcard_and_range():
        patient = value(client.search_for_studies(search_filters={"StudyInstanceUID": study})[0], "00100020")
        expect(patient, "the sample has no patient id")
        found = client.search_for_studies(search_filters={"PatientID": patient[:-1] + "*"})
        expect(any(value(f, "0020000D") == study for f in found), "wild card did not find the study")
        equal(client.search_for_studies(search_filters={"StudyDate": "18000101-18000102"}), [], "a range with nothing")

    report.check("qido", "wild card and date range", wildcard_and_range, "PS3.4 §C.2.2.2")

    def no_match():
        equal(client.search_for_studies(search_filters={"StudyInstanceUID": "1.2.3.4"}), [], "no match")

    report.check("qido", "no match is an empty answer", no_match, "PS3.18 §10.6.3")

    def unknown_attribute():
        answer = backend.session().get(server.dicomweb + "/studies", params={"NoSuchKeyword": "x"}, timeout=30)
        expect(answer.status_code in (200, 204, 400), f"status {answer.status_code}")

    report.check("qido", "unknown attribute is refused or ignored, not a 500", unknown_attribute, "PS3.18 §8.3.4")

    def retrieve_levels():
        for got in (client.retrieve_study(study), client.retrieve_series(study, series)):
            equal([str(d.SOPInstanceUID) for d in got], [instance], "instances")
        for model in (client.retrieve_study_metadata(study), client.retrieve_series_metadata(study, series)):
            equal([value(m, "00080018") for m in model], [instance], "instances in metadata")

    report.check("wado", "study and series, instances and metadata", retrieve_levels, WADO)

    def frames():
        got = client.retrieve_instance_frames(study, series, instance, [1], media_types=(("application/octet-stream", "*"),))
        pixels = sample.data_set.PixelData
        size = len(pixels) // int(sample.data_set.get("NumberOfFrames", 1) or 1)
        equal(len(got), 1, "frames")
        equal(bytes(got[0])[:size], pixels[:size], "pixels of frame 1")

    report.check("wado", "frame 1 of an uncompressed instance", frames, "PS3.18 §10.4.1.1.6")

    def refusals():
        session = backend.session()
        missing = session.get(f"{server.dicomweb}/studies/1.2.3.4", headers={"Accept": "*/*"}, timeout=30)
        equal(missing.status_code, 404, "unknown study")
        beyond = session.get(
            f"{server.dicomweb}/studies/{study}/series/{series}/instances/{instance}/frames/99999",
            headers={"Accept": 'multipart/related; type="application/octet-stream"'}, timeout=30)
        expect(beyond.status_code in (400, 404), f"a frame beyond the last: {beyond.status_code}")
        strange = session.get(f"{server.dicomweb}/studies/{study}", headers={"Accept": "image/x-nothing"}, timeout=30)
        equal(strange.status_code, 406, "a media type that nobody offers")
        bad_uid = session.get(f"{server.dicomweb}/studies/1.2.x/metadata", timeout=30)
        expect(bad_uid.status_code in (400, 404), f"a UID that is none: {bad_uid.status_code}")

    report.check("wado", "404, 406 and frames out of range", refusals, WADO)

    def bad_stow():
        session = backend.session()
        url = server.dicomweb + "/studies"
        kind = 'multipart/related; type="application/dicom"; boundary=b'
        for body, content_type, wanted in (
            (b"", "text/plain", {415}),
            (b"--b\r\nContent-Type: application/dicom\r\n\r\nnot dicom\r\n--b--\r\n", kind, {400, 409}),
            (b"--b\r\nContent-Type: application/dicom\r\n\r\n" + sample.data[: len(sample.data) // 2], kind, {400, 409}),
        ):
            answer = session.post(url, data=body, headers={"Content-Type": content_type, "Accept": "application/dicom+json"},
                                  timeout=30)
            expect(answer.status_code in wanted, f"{content_type}: {answer.status_code}, not one of {sorted(wanted)}")

    report.check("stow", "refusals: not DICOM, cut off, wrong media type", bad_stow, "PS3.18 §10.5.3")

    def no_token():
        import requests

        for path in ("/studies", f"/studies/{study}", f"/studies/{study}/metadata"):
            answer = requests.get(server.dicomweb + path, verify=server.verify, timeout=30)
            equal(answer.status_code, 401, f"{path} without a token")
            expect(answer.headers.get("WWW-Authenticate", "").startswith("Bearer"), "no WWW-Authenticate: Bearer")

    report.check("access", "DICOMweb without a token is 401", no_token, "RFC 6750 §3")
