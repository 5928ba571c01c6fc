# The test application on a base with Python; EXPOSED are the ports that discovery can see.
ARG BASE
FROM $BASE
ARG EXPOSED=8000
COPY app.py /app.py
EXPOSE $EXPOSED
ENV PYTHONUNBUFFERED=1
ENTRYPOINT ["python3", "/app.py"]
