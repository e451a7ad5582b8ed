"""Reading uploaded contact files and writing workbooks.

Reading imports nothing but the standard library (python-calamine lives in a child process), writing imports
openpyxl: take ``reading`` or ``xlsx_writer``, so that a Lambda loads only its half.
"""
