"""Contents of the kit's runner: those that workers fetch, those that they bring, and the files that both are about.

artifacts   answers to GetArtifact: contents, and the files of manifests
uploads     answers to ListMissingContents and UploadFiles, and the faults that checks want
file_sets   the files that workers make and read, and manifests of workers in words
"""
